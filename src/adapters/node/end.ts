// The end of a Node stream; for `node.ts` alone.

import { setImmediate } from "node:timers";
import { TAKEN } from "../../core/bypass.ts";
import { type Bytes, EventEnd } from "../events/event_end.ts";
import {
  assertNodeDuplex,
  breakOff,
  hearFailedWrites,
  isNode,
  type NodeDuplex,
  type NodeReadOptions,
  resetOf,
  sideOf,
  whenEnded,
  whenResettable,
} from "./duplex.ts";
import { LARGE_READ, ReadBuffer } from "./read_buffer.ts";

const ends = new WeakMap<NodeDuplex, NodeEnd>();

/** One listener for all sockets: with closures for each, an idle join weighs 1 KB more (Node 26). */
function on(event: string, handle: (end: NodeEnd, argument: unknown) => void) {
  function listener(this: NodeDuplex, argument: unknown): void {
    const end = ends.get(this);
    if (end) handle(end, argument);
  }
  return { event, listener };
}

const takes = (socket: NodeDuplex, error: Error) => ends.get(socket)!.takesFailedWrite(error);

/** What is smaller than this is cheaper left to the garbage collector. */
const SMALLEST_FREED_BYTES = 16 * 1024;

/** An end over a stream of Node's. */
export class NodeEnd extends EventEnd {
  override readonly consumesOnWrite: boolean;
  readonly #socket: NodeDuplex;
  readonly #memory?: ReadBuffer;
  #inUse = false;
  #connecting: boolean;
  #sent?: (error?: Error | null) => void;

  constructor(socket: NodeDuplex, memory?: ReadBuffer, noDelay = true) {
    super();
    this.#socket = socket;
    this.#memory = memory;
    // A socket needs what it is given until the kernel has it; any other Duplex may keep it for longer.
    this.consumesOnWrite = typeof socket.resetAndDestroy === "function";
    if (this.consumesOnWrite) hearFailedWrites(socket, takes);
    socket.allowHalfOpen = true;
    // By Nagle's algorithm, an answer's second part waits for the acknowledgement of its first: 40 ms.
    socket.setNoDelay?.(noDelay);
    socket.pause();
    ends.set(socket, this);
    this.#listen("on", NodeEnd.#always);
    this.#connecting = socket.connecting === true;
    if (this.#connecting) this.#listen("on", NodeEnd.#opening);
    if (socket.readableEnded) this.ended();
    if (socket.writableEnded) this.finished();
  }

  /** The end that it has, or else a new one. */
  static of(socket: NodeDuplex): NodeEnd {
    return ends.get(socket) ?? new NodeEnd(socket);
  }

  /** @param action What is asked for, if `connect` gives nothing of Node's. */
  static connect<Options extends object>(
    action: string,
    connect: (options: Options & NodeReadOptions) => NodeDuplex,
    options: Options,
  ): NodeEnd {
    const memory = new ReadBuffer();
    let end: NodeEnd | undefined;
    const onread = {
      buffer: () => memory.next(),
      callback: (count: number) => {
        end!.received(memory.lend(count));
        return true;
      },
    };
    // Deno 2.9 and Bun 1.4 copy into the memory of an `onread`; others before them did worse.
    const socket = connect({ ...options, allowHalfOpen: true, ...isNode && { onread } });
    assertNodeDuplex(action, socket);
    // What cannot even be tried has been destroyed by now, and tells so in the next turn.
    return end = new NodeEnd(socket, memory, (options as { noDelay?: boolean }).noDelay);
  }

  /** Until its last word: nobody else may hear a failure, and a paused socket that is empty ends, too. */
  static readonly #always = [
    on("end", (end) => {
      const reset = resetOf(end.#socket);
      if (reset) end.failed(reset);
      else whenEnded(end.#socket, () => end.ended());
    }),
    on("aborted", (end) => end.failed(resetOf(end.#socket))),
    on("error", (end, error) => end.failed(resetOf(end.#socket) ?? error, sideOf(error))),
    on("close", (end) => {
      if (end.#socket.readableEnded && !end.#socket.errored) end.ended();
      end.failed(new Error("The socket was closed before its end"));
      end.#listen("off", NodeEnd.#always);
      end.#listen("off", NodeEnd.#opening);
      end.released();
    }),
  ];
  static readonly #opening = [
    on("connect", (end) => {
      end.#connecting = false;
      end.#listen("off", NodeEnd.#opening);
    }),
  ];
  /** As long as it is used. */
  static readonly #used = [
    on("data", (end, chunk) => end.received(chunk as Bytes)),
    on("drain", (end) => end.drained()),
  ];

  /** A write has failed: whether the socket need not hear of it. */
  takesFailedWrite(error: Error): boolean {
    if (!this.#inUse || this.#socket.destroyed) return false;
    // It may have failed at once.
    queueMicrotask(() => this.writeFailed(error));
    return true;
  }

  /**
   * A fresh buffer for each read makes the process walk through 64 MB until they are collected: freed at
   * once, the next read gets the same, which is still in the cache. Bulk 1.2 times as fast (Node 26).
   */
  spent(chunk: Bytes): void {
    if (this.#memory?.used) return this.#memory.spent(chunk);
    const { buffer, length } = chunk;
    if (length >= SMALLEST_FREED_BYTES && length === buffer.byteLength) buffer.transfer?.(0);
  }

  /** Of what a socket was given it does not tell how much the kernel has. Any other Duplex has failed it. */
  override get [TAKEN](): number {
    return this.consumesOnWrite && !this.#connecting ? super[TAKEN] : 0;
  }

  protected override get highWaterBytes(): number {
    // One read at most waits, so that there are two buffers to take turns.
    return this.#memory?.used ? LARGE_READ : super.highWaterBytes;
  }

  protected override get congested(): boolean {
    // A destroyed socket swallows what it is given, and tells a little later.
    return this.#socket.writableLength > 0 || this.#socket.destroyed;
  }

  protected override send(bytes: Bytes): number {
    const socket = this.#socket;
    this.#use();
    // Only what reaches the high-water mark is followed by a `drain`.
    if (bytes.length >= socket.writableHighWaterMark) socket.write(bytes);
    else {
      // What fails is told by an `error` as well.
      socket.write(bytes, this.#sent ??= (error) => error ? undefined : this.drained());
    }
    return bytes.length;
  }

  protected override finish(): void {
    const socket = this.#socket;
    const end = () =>
      socket.end((error) => {
        // Any other error is told by an `error` as well.
        if (!error || socket.writableFinished) this.finished();
      });
    if (socket.secureConnecting === undefined) return void end();
    // Node sends the FIN alone if what it wrote last of the handshake has not been reported yet, which is
    // done in the check phase; and it breaks off a handshake that is under way.
    if (!socket.secureConnecting || socket.getPeerFinished?.()) return void setImmediate(end);
    const secured = () => {
      // Of a `new TLSSocket()` the first alone is emitted, of Bun's sockets the second.
      for (const event of ["secure", "secureConnect"]) socket.off(event, secured);
      setImmediate(end);
    };
    for (const event of ["secure", "secureConnect"]) socket.on(event, secured);
  }

  protected override shut(): void {
    this.#socket.destroy();
  }

  protected override reset(reason: unknown, later = false): void | Promise<void> {
    const resettable = later ? undefined : whenResettable(this.#socket);
    if (resettable) return resettable.then(() => this.reset(reason, true));
    breakOff(this.#socket, reason);
  }

  protected override pause(): void {
    this.#socket.pause();
  }

  protected override resume(): void {
    this.#use();
    this.#socket.resume();
  }

  protected override released(): void {
    if (this.#inUse) this.#listen("off", NodeEnd.#used);
    this.#inUse = false;
  }

  #use(): void {
    if (!this.#inUse && !this.#socket.destroyed) this.#listen("on", NodeEnd.#used);
    this.#inUse = true;
  }

  #listen(verb: "on" | "off", listeners: readonly ReturnType<typeof on>[]): void {
    for (const { event, listener } of listeners) this.#socket[verb](event, listener);
  }
}
