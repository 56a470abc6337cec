// Public: `fromBunSink()`.

import { bytesToWrite } from "../../check/bytes.ts";
import { isFunction } from "../../check/kinds.ts";
import { refuse } from "../../check/refuse.ts";
import type { Bytes } from "../events/event_end.ts";
import type { BunSink } from "./like.ts";

/**
 * Makes a `WritableStream` of Bun's `FileSink`: the `stdin` of `Bun.spawn`, `Bun.file(path).writer()`,
 * `Bun.stdout.writer()`.
 *
 * A `FileSink` is no Go-style end, although it has a `write`: what `write` returns is not how many bytes it took. A
 * write settles once there is room for more; a close, once everything has been handed over, and then a child reads
 * its end of file. A child that has exited is noticed only by the write after that. An abort closes the sink, which a
 * child cannot tell from an end: to kill the child, pass a `close` to `duplex`.
 *
 * @param sink The sink, which nobody else may write to from here on.
 * @returns A stream that writes to `sink`, for `pipe`, or for `duplex` as its second half.
 * @throws {TypeError} If `sink` is no `FileSink`.
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
  /** Gives up the pending write. */
  let giveUp: (() => void) | undefined;
  return new WritableStream<Bytes>({
    start({ signal }) {
      // The `abort` of an underlying sink is called only after a pending write has settled, which may be never.
      signal.addEventListener("abort", () => {
        giveUp?.();
        // The bytes that the sink holds are lost. A failure of this is no news: the reason of the abort has been told.
        void (async () => await sink.end())().catch(() => {});
      });
    },
    async write(chunk) {
      const taken = sink.write(bytesToWrite(chunk));
      if (typeof taken === "number") return;
      const givenUp = new Promise<true>((resolve) => giveUp = () => resolve(true));
      if (taken === true || await Promise.race([taken, givenUp]) === true) {
        throw Object.assign(new Error("The sink takes no more"), { code: "EPIPE" });
      }
    },
    async close() {
      await sink.end();
    },
  });
}
