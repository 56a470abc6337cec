/**
 * Ends for tests, of each kind: they are told what to send, and record what is done to them.
 *
 * @module
 */
import type { Awaitable, Conn, Pair } from "@webstreams/join";
import { Changes, deferred, never } from "./async.ts";
import { bytes, lengthOf, text } from "./bytes.ts";
import { byteStreams } from "./environment.ts";

/** A Go-style end, a pair whose readable is a byte stream, or one of default streams. */
export type Kind = "conn" | PairKind;
/** A pair's kind. */
export type PairKind = "bytes" | "default";

/** Those that the platform has. */
export const KINDS: readonly Kind[] = byteStreams
  ? ["conn", "bytes", "default"]
  : ["conn", "default"];
/** Pairs of streams alone. */
export const PAIR_KINDS: readonly PairKind[] = byteStreams ? ["bytes", "default"] : ["default"];
/** A pair of byte streams, where there are any. */
export const [BYTES]: readonly PairKind[] = PAIR_KINDS;

/** What ends an end; `closeWrite` is the `close` of a pair's writable as well. */
export type CallName = "closeWrite" | "close" | "abort" | "cancel";

/** A call that was made to an end. */
export interface Call {
  readonly name: CallName;
  readonly args: readonly unknown[];
}

/** Options of {@linkcode FakeEnd}. */
export interface FakeEndOptions {
  /** Whether it can half-close; a Go-style end that only hears one has no `closeWrite`. */
  halfClose?: Pair["halfClose"];
  /** Whether a Go-style end has `abort`, which a `Deno.Conn` has not. */
  abort?: boolean;
  consumesOnWrite?: boolean;
  /** Of a pair's writable. */
  highWaterMark?: number;
  /** What the calls give; nothing by default. */
  on?: Partial<Record<CallName, (...args: readonly unknown[]) => unknown>>;
}

type Item = { bytes: Uint8Array<ArrayBuffer> } | "eof" | { error: unknown };

const EOF = "eof";

/** One end; the test is its peer. */
export class FakeEnd {
  readonly kind: Kind;
  /** What `join` is given. */
  readonly end: Pair | Conn;
  /** What has been done to end it, in order. */
  readonly calls: Call[] = [];
  /** What has been written; of a pair the very chunks, which have been given for good. */
  readonly received: Uint8Array[] = [];
  /** The buffers that a Go-style end was given to read into. */
  readonly views: Uint8Array<ArrayBuffer>[] = [];
  /** Reads begun, writes begun. */
  reads = 0;
  writes = 0;
  /** What a pair's writable was aborted with; its `abort` waits for a write, this does not. */
  aborted?: { reason: unknown };
  /** How it takes what is written. */
  onWrite: (chunk: Uint8Array<ArrayBuffer>) => Awaitable<void> = () => {};

  readonly #on: NonNullable<FakeEndOptions["on"]>;
  readonly #changes = new Changes();
  readonly #items: Item[] = [];
  readonly #interrupted = deferred<never>();
  #readable?:
    | ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>
    | ReadableByteStreamController;
  #writable?: WritableStreamDefaultController;
  #waiting = false;
  #closed = false;

  constructor(kind: Kind, options: FakeEndOptions = {}) {
    this.kind = kind;
    this.#on = options.on ?? {};
    this.#interrupted.promise.catch(() => {});
    this.end = kind === "conn" ? this.#conn(options) : this.#pair(kind, options);
  }

  /** The names of the calls. */
  get ended(): CallName[] {
    return this.calls.map(({ name }) => name);
  }

  /** What was written, as text. */
  get text(): string {
    return text(...this.received);
  }

  /** Its peer sends this. */
  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#add({ bytes: typeof data === "string" ? bytes(data) : data });
  }

  /** Its peer has ended. */
  finish(data?: string): void {
    if (data !== undefined) this.send(data);
    this.#add(EOF);
  }

  /** Reading fails, once everything before it has been read. */
  failRead(error: unknown): void {
    this.#add({ error });
  }

  /** Every further write is stuck for good. */
  stall(): void {
    this.onWrite = () => never();
  }

  /** Every further write fails. */
  failWrites(error: unknown): void {
    this.onWrite = () => {
      throw error;
    };
  }

  /** A pair's readable is closed at once, or one of its streams errored. */
  closeReadable(): void {
    this.#readable?.close();
  }

  errorReadable(error: unknown): void {
    this.#readable?.error(error);
  }

  errorWritable(error: unknown): void {
    this.#writable?.error(error);
  }

  /** Fulfils once `holds` does. */
  until(holds: () => boolean): Promise<void> {
    return this.#changes.until(holds);
  }

  /** Fulfils once `text` has been written to it. */
  got(text: string): Promise<void> {
    return this.until(() => this.text === text);
  }

  /** Fulfils once so many bytes have been written to it. */
  gotBytes(length: number): Promise<void> {
    return this.until(() => lengthOf(this.received) >= length);
  }

  /** Fulfils once it has been called so. */
  called(name: CallName): Promise<void> {
    return this.until(() => this.ended.includes(name));
  }

  /** Fulfils once a read waits for something to be sent. */
  waiting(): Promise<void> {
    return this.until(() => this.#items.length === 0 && this.#waiting);
  }

  /** Fulfils once all that was sent has been read. */
  taken(): Promise<void> {
    return this.until(() => this.#items.length === 0);
  }

  #conn({ halfClose = true, abort = false }: FakeEndOptions): Conn {
    return {
      read: async (p) => {
        this.#refuseIfClosed();
        this.reads++;
        this.views.push(p);
        const item = await Promise.race([this.#next(), this.#interrupted.promise]);
        return item === EOF ? null : this.#fill(p, item);
      },
      write: async (p) => {
        this.#refuseIfClosed();
        await this.#take(p, (chunk) => chunk.slice());
        return p.length;
      },
      ...halfClose === true && { closeWrite: () => this.#call("closeWrite") },
      ...halfClose === false && { halfClose },
      close: () => {
        this.#interrupt();
        return this.#call("close");
      },
      ...abort && {
        abort: (reason: unknown) => {
          this.#interrupt();
          return this.#call("abort", reason);
        },
      },
    };
  }

  #pair(kind: PairKind, options: FakeEndOptions): Pair {
    const { halfClose, consumesOnWrite, highWaterMark } = options;
    const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#writable = controller;
        controller.signal.addEventListener("abort", () => {
          this.aborted = { reason: controller.signal.reason };
          this.#changes.happened();
        });
      },
      write: (chunk) => this.#take(chunk, consumesOnWrite ? (chunk) => chunk.slice() : undefined),
      close: async () => void await this.#call("closeWrite"),
      abort: async (...args) => void await this.#call("abort", ...args),
    }, { highWaterMark });
    return {
      readable: kind === "bytes" ? this.#byteStream() : this.#defaultStream(),
      writable,
      halfClose,
      consumesOnWrite,
      close: (...args) => this.#call("close", ...args),
    };
  }

  #defaultStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      start: (controller) => void (this.#readable = controller),
      pull: async (controller) => {
        this.reads++;
        const item = await this.#next();
        if (item === EOF) controller.close();
        else controller.enqueue(item.bytes.slice());
      },
      // Chromium passes more.
      cancel: async (reason) => void await this.#call("cancel", reason),
    }, { highWaterMark: 0 });
  }

  #byteStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      type: "bytes",
      start: (controller) => void (this.#readable = controller),
      pull: async (controller) => {
        this.reads++;
        const item = await this.#next();
        const request = controller.byobRequest;
        if (item === EOF) {
          controller.close();
          request?.respond(0);
        } else if (request) {
          const { buffer, byteOffset, byteLength } = request.view!;
          const view = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
          request.respond(this.#fill(view, item));
        } else {
          controller.enqueue(item.bytes.slice());
        }
      },
      cancel: async (reason) => void await this.#call("cancel", reason),
    });
  }

  #add(item: Item): void {
    this.#items.push(item);
    this.#changes.happened();
  }

  /** What to send next. */
  async #next(): Promise<Exclude<Item, { error: unknown }>> {
    this.#waiting = true;
    this.#changes.happened();
    await this.until(() => this.#items.length > 0);
    this.#waiting = false;
    const item = this.#items.shift()!;
    this.#changes.happened();
    if (item !== EOF && "error" in item) throw item.error;
    return item;
  }

  #fill(p: Uint8Array<ArrayBuffer>, item: { bytes: Uint8Array<ArrayBuffer> }): number {
    const taken = item.bytes.subarray(0, p.length);
    p.set(taken);
    if (taken.length < item.bytes.length) {
      this.#items.unshift({ bytes: item.bytes.subarray(taken.length) });
    }
    return taken.length;
  }

  async #take(
    chunk: Uint8Array<ArrayBuffer>,
    kept: (chunk: Uint8Array<ArrayBuffer>) => Uint8Array = (chunk) => chunk,
  ): Promise<void> {
    this.writes++;
    this.#changes.happened();
    const taken = this.onWrite(chunk);
    await (this.kind === "conn" ? Promise.race([taken, this.#interrupted.promise]) : taken);
    this.received.push(kept(chunk));
    this.#changes.happened();
  }

  #call(name: CallName, ...args: unknown[]): unknown {
    this.calls.push({ name, args });
    this.#changes.happened();
    return this.#on[name]?.(...args);
  }

  #interrupt(): void {
    this.#closed = true;
    this.#interrupted.reject(new Error("Interrupted"));
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new Error("BadResource");
  }
}
