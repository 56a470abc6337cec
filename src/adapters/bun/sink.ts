// Public: `fromBunSink()`.

import { bytesToWrite } from "../../check/bytes.ts";
import { isFunction } from "../../check/kinds.ts";
import { refuse } from "../../check/refuse.ts";
import type { Bytes } from "../events/event_end.ts";

/** What {@linkcode fromBunSink} takes: the part of Bun's `FileSink` that it uses. */
export interface BunSink {
  /**
   * Takes a copy of the bytes: how many, a promise where they wait for room, or `true` once nobody takes
   * anything any more (Bun 1.4).
   */
  write(chunk: Uint8Array<ArrayBuffer>): unknown;
  /** Hands everything over, and closes it. */
  end(): unknown;
}

/**
 * Makes a `WritableStream` of Bun's `FileSink`: the `stdin` of `Bun.spawn`, `Bun.file(path).writer()`,
 * `Bun.stdout.writer()`.
 *
 * It is no Go-style end, although it has a `write`: what that gives is not how much it took of the
 * bytes. A write has settled once there is room for more; a close, once everything has been handed over: a
 * child reads its end of file then. A child that has gone is noticed by the write after that alone. An abort
 * closes it, which a child cannot tell from an end: who wants it killed says so in the `close` of `duplex`.
 *
 * @param sink The sink; nobody else writes to it from here on.
 * @returns What takes its bytes, for `pipe`, or for `duplex` as its second half.
 * @throws {TypeError} If it is none.
 *
 * @example A child process as an end, on Bun
 * ```ts ignore
 * import { duplex, join } from "@webstreams/join";
 * import { fromBunSink } from "@webstreams/join/bun";
 *
 * const child = Bun.spawn(["sort", "-r"], { stdin: "pipe", stdout: "pipe" });
 * const close = (reason?: unknown) => void (reason && child.kill());
 * await join(client, duplex(child.stdout, fromBunSink(child.stdin), { close }));
 * ```
 */
export function fromBunSink(sink: BunSink): WritableStream<Uint8Array<ArrayBuffer>> {
  if (!isFunction(sink, "write") || !isFunction(sink, "end")) {
    refuse("make a WritableStream", "sink", "must be a FileSink", sink);
  }
  let giveUp: (() => void) | undefined;
  return new WritableStream<Bytes>({
    start({ signal }) {
      // Its sink's `abort` would be called after the write that waits, which may be never.
      signal.addEventListener("abort", () => {
        giveUp?.();
        // What it still holds is lost. If that fails, the abort's reason has told already.
        void (async () => await sink.end())().catch(() => {});
      });
    },
    async write(chunk) {
      const taken = sink.write(bytesToWrite(chunk));
      if (typeof taken === "number") return;
      const given = new Promise<true>((resolve) => giveUp = () => resolve(true));
      if (taken === true || await Promise.race([taken, given]) === true) {
        throw Object.assign(new Error("The sink takes no more"), { code: "EPIPE" });
      }
    },
    async close() {
      await sink.end();
    },
  });
}
