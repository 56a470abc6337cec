// Errors in words for people; for the forwarder and its program.

/** The message of a platform's error, on one line and without what only a programmer wants to know. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/ \(os error \d+\)(: \w+ '.*')?/, "").replaceAll(/\s*\n\s*/g, " ");
}
