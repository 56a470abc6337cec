// The version; for the forwarder's program alone.

/**
 * What `--version` prints. A constant, as an import of deno.json would need a file to be there that
 * not every registry's package has; a test keeps the two equal.
 */
export const VERSION = "0.1.0";
