/**
 * What a platform error says, without what only a programmer wants to know.
 *
 * @param error Whatever was thrown.
 * @returns One line.
 */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/ \(os error \d+\)(: \w+ '.*')?/, "").replaceAll(/\s*\n\s*/g, " ");
}
