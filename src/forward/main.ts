/**
 * The port forwarder: {@linkcode forward} for programs, and a program itself.
 *
 * ```sh
 * deno run --allow-net jsr:@webstreams/join/forward tcp://127.0.0.1:8080 tcp://127.0.0.1:80
 * ```
 *
 * It needs Deno's `--allow-net`, and for Unix sockets `--allow-read` and `--allow-write`.
 *
 * @module
 */

import { runProgram } from "./cli/program.ts";
import { assertDeno } from "./runtime.ts";

export { forward } from "./forward.ts";
export type { Forwarder, ForwardStats } from "./forwarder.ts";
export type { ForwardOptions } from "./options.ts";
export type {
  CloseEvent,
  CloseReason,
  ConnectionEvent,
  ErrorEvent,
  ForwardEvent,
  ListenEvent,
  OpenEvent,
  ShutdownEvent,
} from "./events.ts";

if (import.meta.main) {
  assertDeno();
  await runProgram(Deno.args);
}
