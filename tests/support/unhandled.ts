/**
 * Rejections that nobody handles.
 *
 * @module
 */

/** What was rejected since {@linkcode watchUnhandled}, and not handled. */
export interface WatchedRejections {
  readonly reasons: readonly unknown[];
  /** Stops watching. */
  restore(): void;
}

/** Watches for them; a runner that sees one too may fail the test as well. */
export function watchUnhandled(): WatchedRejections {
  const reasons: unknown[] = [];
  const note = (reason: unknown) => void reasons.push(reason);
  // Deno and Bun have it from Node.
  const { process } = globalThis as { process?: typeof import("node:process") };
  if (process) {
    process.on("unhandledRejection", note);
    return {
      reasons,
      restore: () => void process.off("unhandledRejection", note),
    };
  }
  const listener = (event: Event) => note((event as PromiseRejectionEvent).reason);
  addEventListener("unhandledrejection", listener);
  return {
    reasons,
    restore: () => removeEventListener("unhandledrejection", listener),
  };
}
