/**
 * The two ends of a join as a scenario plays them: of any kind, and watched.
 *
 * @module
 */
import type { Conn, Pair } from "@webstreams/join";
import { macrotask } from "../support/async.ts";
import type { Kind } from "../support/fake_end.ts";
import { differsAt, fill } from "./pattern.ts";
import { failsToClose } from "./model.ts";
import { otherSide, type Side } from "../support/sides.ts";
import type { Burst, EndTraits, Pace } from "./scenario.ts";

const AUTO_ALLOCATED_BYTES = 700;

type Bytes = Uint8Array<ArrayBuffer>;
type Item = number | "eof" | "error";
/** What was done to an end, and the reason given. */
export interface Entry {
  readonly done: "end" | "close" | "cancel" | "abort";
  readonly reason?: unknown;
}

/** One end, seen from outside. */
export class ScriptedEnd {
  readonly side: Side;
  readonly traits: EndTraits;
  readonly readError: Error;
  readonly writeError: Error;
  readonly endError: Error;
  readonly closeError: Error;
  /** What was asked of it other than reads and writes. */
  readonly log: Entry[] = [];
  /** What it must not be asked. */
  readonly violations: string[] = [];
  /** Memory that a read or a write which has not settled may still touch. */
  readonly busy = new Set<ArrayBufferLike>();
  /** Bytes that were read from it. */
  given = 0;
  /** Bytes that it has taken. */
  taken = 0;
  /** Its readable, its reading side, is closed or errored: there is nothing to cancel. */
  readOver = false;
  /** The same of its writing. */
  writeOver = false;
  readonly #onEvent: () => void;
  readonly #queue: Item[] = [];
  readonly #kept: { readonly chunk: Uint8Array; readonly at: number }[] = [];
  readonly #reads: () => Pace;
  readonly #writes: () => Pace;
  readonly #portions: () => number;
  #stalled = false;
  #refusing = false;
  #closed = false;
  #reading = false;
  #writing = false;
  #readable?: ReadableByteStreamController | ReadableStreamDefaultController<Bytes>;
  #writable?: WritableStreamDefaultController;
  #wakeReader = () => {};
  #wakeWriter = () => {};

  /** @param onEvent Called whenever anything happens. */
  constructor(side: Side, traits: EndTraits, onEvent: () => void) {
    this.side = side;
    this.traits = traits;
    this.readError = new Error(`read of ${side}`);
    this.writeError = new Error(`write to ${side}`);
    this.endError = new Error(`end of ${side}`);
    this.closeError = new Error(`close of ${side}`);
    this.#onEvent = onEvent;
    this.#reads = inTurn(traits.reads);
    this.#writes = inTurn(traits.writes);
    this.#portions = inTurn(traits.portions);
  }

  /** The end as `join` gets it. */
  as(kind: Kind): Conn | Pair {
    return kind === "conn" ? this.#conn() : this.#pair(kind);
  }

  /** It sends something. */
  send({ sizes, then }: Pick<Burst, "sizes" | "then">): void {
    this.#queue.push(...sizes, ...then ? [then] : []);
    this.#showEnd();
    this.#wakeReader();
  }

  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    this.#wakeWriter();
  }

  /** Its next write fails. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Its reading fails at once, whatever it has sent. */
  failRead(): void {
    if (this.#queue.at(-1) === "eof") return;
    this.#queue.splice(0, this.#queue.length, "error");
    if (this.#readable && !this.readOver) this.#errorReadable(this.#readable);
    this.#wakeReader();
  }

  /** Its writing fails: at once where a platform can tell, else with the next write. */
  failWrite(): void {
    this.refuse();
    if (this.#writable && !this.writeOver) {
      this.writeOver = true;
      this.#writable.error(this.writeError);
    }
  }

  /** Everything that has waited is answered: what was given up must not matter any more. */
  wakeAll(): void {
    this.#stalled = false;
    this.#wakeWriter();
    if (this.#queue.length === 0) this.#queue.push(4096);
    this.#wakeReader();
  }

  /** Whether what it was given for good is still what it was. */
  verifyKept(): void {
    for (const { chunk, at } of this.#kept) this.#verify(chunk, at, "kept");
  }

  #conn(): Conn {
    const { traits } = this;
    return {
      read: (p: Bytes) => this.#read(p),
      write: (p: Bytes) => this.#write(p, Math.max(1, Math.floor(p.length * this.#portions()))),
      close: () => this.#close(),
      ...traits.halfCloses === true && { closeWrite: () => this.#end() },
      ...traits.halfCloses === false && { halfClose: false },
      ...traits.aborts && { abort: (reason: unknown) => this.#abort(reason) },
    };
  }

  #pair(kind: Kind): Pair {
    const { halfCloses, memory, highWaterMark, fills } = this.traits;
    const underlying = {
      start: (
        controller: ReadableByteStreamController | ReadableStreamDefaultController<Bytes>,
      ) => {
        this.#readable = controller;
        this.#showEnd();
      },
      pull: () => this.#pull(),
      cancel: (reason: unknown) => {
        this.readOver = true;
        this.#note("cancel", reason);
      },
    };
    const readable = kind === "bytes"
      ? new ReadableStream({
        ...underlying,
        type: "bytes",
        // For a default reader, as whoever fills needs memory.
        ...fills && { autoAllocateChunkSize: AUTO_ALLOCATED_BYTES },
      }, { highWaterMark: 0 })
      : new ReadableStream<Bytes>(underlying, { highWaterMark: 0 });
    const writable = new WritableStream<Bytes>({
      start: (controller) => {
        this.#writable = controller;
        const { signal } = controller;
        signal.addEventListener("abort", () => {
          this.writeOver = true;
          this.#note("abort", signal.reason);
          this.#interrupt();
        });
      },
      write: (chunk) => {
        const written = this.#write(bytesIn(chunk));
        if (typeof written !== "number") return written.then(() => {});
      },
      close: () => this.#end(),
    }, { highWaterMark });
    return {
      readable,
      writable,
      halfClose: halfCloses,
      consumesOnWrite: memory === "consumes",
      close: (reason) => {
        this.#note("close", reason);
        if (failsToClose(this.traits)) throw this.closeError;
      },
    };
  }

  #read(p: Bytes): number | null | Promise<number | null> {
    this.#begin("read", this.#closed || this.readOver);
    this.#onEvent();
    return this.#answer("read", this.#reads(), p, () => this.#queue.length > 0, () => {
      const item = this.#queue[0];
      if (typeof item === "string") {
        this.readOver = true;
        if (item === "eof") return null;
        throw this.readError;
      }
      const size = Math.min(item, p.length);
      this.#give(p.subarray(0, size));
      // What a read does not use of its buffer it may use otherwise.
      p.subarray(size, size + 2000).fill(0xee);
      return size;
    });
  }

  #pull(): void | Promise<void> {
    this.#onEvent();
    const ready = () => this.readOver || this.#queue.length > 0;
    return this.#answer("read", this.#reads(), undefined, ready, (): void | Promise<void> => {
      if (this.readOver) return;
      const controller = this.#readable!;
      const bytes = "byobRequest" in controller;
      while (bytes && this.#queue[0] === 0) this.#queue.shift();
      const item = this.#queue[0];
      if (item === undefined) return this.#pull();
      if (item === "eof") this.#closeReadable(controller);
      else if (item === "error") this.#errorReadable(controller);
      else if (bytes && this.traits.fills) {
        const request = controller.byobRequest!;
        const view = request.view!;
        const target = new Uint8Array(
          view.buffer,
          view.byteOffset,
          Math.min(item, view.byteLength),
        );
        this.#give(target);
        request.respond(target.length);
      } else if (this.traits.views) {
        const whole = new Uint8Array(item + 10).fill(0xee);
        const chunk = whole.subarray(3, item + 3);
        this.#give(chunk);
        controller.enqueue(chunk);
      } else {
        const chunk = new Uint8Array(item);
        this.#give(chunk);
        controller.enqueue(chunk);
      }
      this.#showEnd();
    });
  }

  /** An end of file or an error, as soon as everything before it has been read. */
  #showEnd(): void {
    const controller = this.#readable;
    if (!controller || this.readOver || !this.traits.eager) return;
    // A byte stream may have been given more than was asked of it.
    if (controller.desiredSize! < 0) return;
    if (this.#queue[0] === "eof") this.#closeReadable(controller);
    else if (this.#queue[0] === "error") this.#errorReadable(controller);
  }

  #closeReadable(
    controller: ReadableByteStreamController | ReadableStreamDefaultController<Bytes>,
  ): void {
    this.readOver = true;
    controller.close();
    if ("byobRequest" in controller && this.traits.answersAtEnd) controller.byobRequest?.respond(0);
  }

  #errorReadable(
    controller: ReadableByteStreamController | ReadableStreamDefaultController<Bytes>,
  ): void {
    this.readOver = true;
    controller.error(this.readError);
  }

  /** The next bytes of the chunk that comes first. */
  #give(target: Uint8Array): void {
    fill(target, this.side, this.given);
    this.given += target.length;
    const left = this.#queue[0] as number - target.length;
    if (left > 0) this.#queue[0] = left;
    else this.#queue.shift();
    this.#onEvent();
  }

  #write(bytes: Uint8Array, most = bytes.length): number | Promise<number> {
    this.#begin("write", this.#closed || this.writeOver);
    this.#onEvent();
    // A write of nothing never reaches a Go-style end.
    const nothing = bytes.length === 0;
    const refused = this.#refusing && !nothing;
    return this.#answer("write", this.#writes(), bytes, () => !this.#stalled || nothing, () => {
      if (refused) {
        this.writeOver = true;
        throw this.writeError;
      }
      const taken = bytes.subarray(0, most);
      const { length } = taken;
      this.#verify(taken, this.taken, "written");
      this.#keep(taken);
      this.taken += length;
      this.#onEvent();
      return length;
    });
  }

  /** Does with a chunk what whoever has got it for good may do. */
  #keep(bytes: Uint8Array): void {
    // A Go-style end is never given anything for good.
    if (!this.#writable) return;
    const { memory } = this.traits;
    if (memory === "keeps") this.#kept.push({ chunk: bytes, at: this.taken });
    else if (memory === "scribbles") bytes.fill(0xdd);
    else if (memory === "transfers" && bytes.length > 0) {
      structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
    }
  }

  #verify(bytes: Uint8Array, at: number, what: string): void {
    const position = differsAt(bytes, otherSide(this.side), at);
    if (position === -1) return;
    this.violations.push(
      `${this.side}: of ${bytes.length} bytes ${what} at ${at} the one at ${position} is wrong`,
    );
  }

  #begin(what: "read" | "write", over: boolean): void {
    const twice = what === "read" ? this.#reading : this.#writing;
    if (over || twice) {
      this.violations.push(`${this.side}: a ${what} ${over ? "after its end" : "during another"}`);
    }
  }

  /** Does `act` once it is `ready`, and then in its own time. */
  #answer<T>(
    what: "read" | "write",
    pace: Pace,
    memory: Uint8Array | undefined,
    ready: () => boolean,
    act: () => T | Promise<T>,
  ): T | Promise<T> {
    if (pace === "now" && ready()) return act();
    const reads = what === "read";
    const buffer = memory?.buffer;
    if (buffer) this.busy.add(buffer);
    if (reads) this.#reading = true;
    else this.#writing = true;
    const settled = () => {
      if (buffer) this.busy.delete(buffer);
      if (reads) this.#reading = false;
      else this.#writing = false;
    };
    return new Promise<T>((resolve, reject) => {
      const attempt = async () => {
        if (pace === "macrotask") await macrotask();
        else if (pace === "microtask") await undefined;
        const interrupted = this.#closed || (!reads && this.#writable && this.writeOver);
        if (interrupted && this.traits.interrupts) {
          settled();
          return reject(new Error(`interrupted ${what} of ${this.side}`));
        }
        if (!ready()) return wait();
        settled();
        try {
          resolve(act());
        } catch (error) {
          reject(error);
        }
      };
      const wait = () => {
        let woken = false;
        const wake = () => {
          if (woken) return;
          // What is done now may wake it again.
          woken = true;
          void attempt();
        };
        if (reads) this.#wakeReader = wake;
        else this.#wakeWriter = wake;
      };
      if (ready()) void attempt();
      else wait();
    });
  }

  #interrupt(): void {
    if (!this.traits.interrupts) return;
    this.#wakeReader();
    this.#wakeWriter();
  }

  #end(): void | Promise<void> {
    this.writeOver = true;
    this.#note("end");
    if (this.traits.endFails) return Promise.reject(this.endError);
  }

  #close(): void {
    this.#closed = true;
    this.#note("close");
    this.#interrupt();
    if (failsToClose(this.traits)) throw this.closeError;
  }

  #abort(reason: unknown): void {
    this.#closed = true;
    this.#note("abort", reason);
    this.#interrupt();
  }

  #note(done: Entry["done"], reason?: unknown): void {
    this.log.push({ done, reason });
    this.#onEvent();
  }
}

function bytesIn(chunk: Bytes | ArrayBuffer): Uint8Array {
  return chunk instanceof ArrayBuffer ? new Uint8Array(chunk) : chunk;
}

function inTurn<T>(values: readonly T[]): () => T {
  let next = 0;
  return () => values[next++ % values.length];
}
