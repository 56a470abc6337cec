// The version; for `program.ts` alone.

/**
 * What `--version` prints. It does not come from deno.json, as not every registry's package has that file.
 * A test keeps the two equal.
 */
export const VERSION = "0.1.0";
