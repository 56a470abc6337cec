// Says that the forwarder needs Deno; for `forward()` and its program.

/** Throws where there is no Deno. */
export function assertDeno(): void {
  if (typeof Deno === "undefined") {
    throw new Error("Cannot forward as this runtime is not Deno: there is no Deno.listen");
  }
}
