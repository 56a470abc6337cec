/**
 * Connects two byte streams, both ways, and gets it right: half-close, errors, cancellation,
 * timeouts, limits, counts, and buffers that are never reused too early.
 *
 * {@linkcode join} pairs two ends, {@linkcode pipe} moves one direction. They run wherever Web Streams
 * do.
 *
 * @example A TCP relay
 * ```ts no-assert
 * import { join } from "@webstreams/join";
 *
 * async function relay(client: Deno.Conn): Promise<void> {
 *   const server = await Deno.connect({ port: 9001 });
 *   const { aToB, bToA } = await join(client, server, { idleTimeout: 60_000 });
 *   console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
 * }
 * ```
 *
 * @module
 */
export { BufferPool, type BufferPoolOptions } from "./src/buffer_pool.ts";
export { ByteCounterStream, type ByteCounterStreamOptions } from "./src/byte_counter.ts";
export { duplex, type DuplexOptions } from "./src/duplex.ts";
export type {
  Awaitable,
  Conn,
  End,
  Message,
  MessagePair,
  Pair,
  Reader,
  Writer,
} from "./src/ends.ts";
export type { Counts, Direction } from "./src/counts.ts";
export { type Failure, JoinError, type JoinErrorInit, LimitError } from "./src/errors.ts";
export { join } from "./src/join/join.ts";
export type { JoinResult } from "./src/join/result.ts";
export { type JoinOptions, type JoinStats, type PerDirection } from "./src/join/options.ts";
export { memoryPair, type MemoryPairOptions } from "./src/memory_pair.ts";
export { pipe, type PipeOptions, type PipeResult } from "./src/pipe/pipe.ts";
export type { EndReason } from "./src/reason.ts";
export { through } from "./src/through.ts";
export { unread } from "./src/unread.ts";
