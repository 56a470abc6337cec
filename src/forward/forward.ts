// Public: `forward()`.

import type { Forwarder } from "./forwarder.ts";
import type { ForwardOptions } from "./options.ts";
import { assertDeno } from "./runtime.ts";
import { readOptions } from "./settings.ts";
import { forwardInThread } from "./thread_forwarder.ts";
import { forwardByWorkers } from "./workers_forwarder.ts";

/**
 * Forwards connections: listens, dials the target for every connection that is accepted, and joins the two
 * connections. A failure of one connection ends that connection only, and is reported to `onEvent`.
 *
 * @param options Where to listen and to forward to, timeouts and limits; see {@linkcode ForwardOptions}.
 * @returns The forwarder, once it listens.
 * @throws {TypeError} If an option is of the wrong type or cannot be used, or if the path to listen on
 * belongs to a file that is no socket. Nothing has been opened.
 * @throws {RangeError} If a number is out of its range. Nothing has been opened.
 * @throws {Error} If the system does not let it listen, as when the address is in use; if a worker cannot
 * start; or if the runtime is not Deno.
 * @throws The reason of `signal`, if that has aborted already.
 *
 * @example Forward a free port to the built-in echo
 * ```ts
 * import { forward } from "@webstreams/join/forward";
 * import { assertEquals } from "@std/assert";
 *
 * await using forwarder = await forward({ listen: "tcp://127.0.0.1:0", target: "echo:" });
 *
 * const conn = await Deno.connect({ port: Number(new URL(forwarder.address).port) });
 * await conn.write(new TextEncoder().encode("hello"));
 * await conn.closeWrite();
 * assertEquals(await new Response(conn.readable).text(), "hello");
 * ```
 */
export async function forward(options: ForwardOptions): Promise<Forwarder> {
  const settings = readOptions(options);
  assertDeno();
  settings.signal?.throwIfAborted();
  return settings.workers > 1
    ? await forwardByWorkers(options, settings)
    : await forwardInThread(settings);
}
