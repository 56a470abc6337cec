// The end of a socket of Bun's; for `mod.ts` alone.

import { bytesToWrite } from "../../check/bytes.ts";
import { type Bytes, EventEnd } from "../events/event_end.ts";
import type { BunSocket } from "./like.ts";

/** Where a socket keeps its end: the socket's `data` belongs to its owner. */
const END = Symbol("end");

/** A socket that may have an end. */
export interface SocketWithEnd extends BunSocket {
  [END]?: BunEnd;
}

/** A smaller chunk, in bytes, is cheaper left to the garbage collector than freed. */
const MIN_FREED_BYTES = 16 * 1024;

/** An end over a socket of Bun's. */
export class BunEnd extends EventEnd {
  override readonly consumesOnWrite = true;
  readonly #socket: SocketWithEnd;
  /** Kept, as a closed socket does not tell. */
  readonly #isTls: boolean;
  /** Whether the owner of the socket has asked for its end. */
  #isClaimed = false;
  /** Whether the last write was short: a `drain` follows. */
  #isFull = false;
  #hasPeerEnded = false;
  /** The failure of a write that has taken the error of a reset from the socket: `end` is no end of file then. */
  #refusal?: Error;
  /** Whether our FIN waits for the end of the TLS handshake. */
  #isFinDelayed = false;
  /** Whether our FIN is out, so that the peer's FIN shows as a `close` without an `end` (TCP, Unix; Bun 1.4). */
  #closesAtPeerEnd = false;

  constructor(socket: SocketWithEnd) {
    // A TLS socket with a `handshake` handler that is paused from its start never opens (Bun 1.4).
    super(false);
    this.#socket = socket;
    this.#isTls = socket.getCipher?.() !== undefined;
  }

  /** The end that a socket has, or else a new end. */
  static of(socket: SocketWithEnd): BunEnd {
    return socket[END] ??= new BunEnd(socket);
  }

  /** The end that a socket has; `undefined` if nothing has been received or asked for, or all has been told. */
  static existing(socket: SocketWithEnd): BunEnd | undefined {
    return socket[END];
  }

  /** Called when the owner of the socket asks for its end: from here on a closed socket need not keep the end. */
  claim(): this {
    this.#isClaimed = true;
    return this;
  }

  // Called by the handlers of the socket.

  /** Takes bytes of the `binaryType` that the owner has asked for: an `ArrayBuffer`, a `Buffer` or what we ask for. */
  onSocketData(bytes: Uint8Array | ArrayBuffer): void {
    this.onData(bytesToWrite(bytes));
  }

  onSocketEnd(): void {
    this.#hasPeerEnded = true;
    if (this.#refusal) this.onError(this.#refusal);
    else this.onEnd();
  }

  onSocketDrain(): void {
    this.#isFull = false;
    if (this.#isFinDelayed) this.endWriting();
    this.onDrain();
  }

  onSocketClose(error?: Error): void {
    // The owner can still ask for an end that has something to tell.
    if (this.#isClaimed || !error && !this.#hasPeerEnded) this.#socket[END] = undefined;
    if (error || !this.#hasPeerEnded && !this.#closesAtPeerEnd) {
      return this.onError(error ?? this.#earlyClose());
    }
    // A write that waits for room fails by this.
    this.onSocketDrain();
    this.onEnd();
    this.onFinish();
  }

  /** Freed at once, the next chunk gets the same memory, which is still in the cache. */
  spent({ buffer, length }: Bytes): void {
    if (length >= MIN_FREED_BYTES) buffer.transfer?.(0);
  }

  protected override get isCongested(): boolean {
    return this.#isFull;
  }

  protected override send(bytes: Bytes): number {
    const taken = this.#socket.write(bytes);
    this.#isFull = taken < bytes.length;
    if (taken >= 0) return taken;
    const error = new Error("The socket takes no more: it has been reset, closed or shut down");
    if (this.#hasPeerEnded || this.#socket.readyState <= 0) {
      this.onError(error, "write");
    } else {
      // What the socket has received is still delivered.
      this.#refusal = error;
      this.onWriteError(error);
    }
    throw error;
  }

  protected override endWriting(): void {
    const cipher = this.#socket.getCipher?.();
    // A FIN would break off the handshake (Bun 1.4), which goes on as long as the cipher has no name.
    this.#isFinDelayed = cipher?.name === null;
    if (this.#isFinDelayed) return;
    this.#closesAtPeerEnd = !cipher;
    this.#socket.shutdown();
    this.onFinish();
  }

  protected override disconnect(): void {
    this.#socket.close();
  }

  protected override reset(): void {
    this.#socket.terminate();
  }

  protected override pause(): void {
    this.#socket.pause();
  }

  protected override resume(): void {
    this.#socket.resume();
  }

  /** Bun 1.4 tells nothing of a certificate that is not trusted, or of a connection cut after our own end. */
  #earlyClose(): Error {
    return this.#isTls
      ? Object.assign(new Error("The TLS connection has failed"), { code: "EPROTO" })
      : new Error("The socket was closed before its end");
  }
}
