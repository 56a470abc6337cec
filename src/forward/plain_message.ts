// The words of an error for people; for the forwarder and its program.

/** An error's message on one line, without the error code and the path that Deno adds to it. */
export function plainMessage(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/ \(os error \d+\)(: \w+ '.*')?/, "").replaceAll(/\s*\n\s*/g, " ");
}
