/**
 * Rules of the Streams standard as tests, run with the platform's `pipeTo` as well: that proves the
 * expectations, and shows when a platform changes.
 *
 * @module
 */
import { pipe } from "@webstreams/join";
import { type Runtime, test } from "../harness.ts";
import { type Deferred, deferred, macrotask } from "../support/async.ts";
import { NO_INFINITY, PIPES_CHUNK_BY_CHUNK } from "../support/deviations.ts";
import { platform } from "../support/environment.ts";

/** What is under test: {@linkcode pipe}, or the platform's `pipeTo`. */
export type Pipe = (
  source: ReadableStream<unknown>,
  sink: WritableStream<unknown>,
  options?: StreamPipeOptions,
) => Promise<unknown>;

/** Every Node that the tests run on. */
export const NODES = ["node20", "node22", "node24", "node26"];

/** A high-water mark that is never reached. */
export const UNBOUNDED = NO_INFINITY.includes(platform) ? 2 ** 31 - 1 : Infinity;

/** The platform's own. */
export const pipeTo: Pipe = (source, sink, options) =>
  ReadableStream.prototype.pipeTo.call(source, sink, options);

/** Options of {@linkcode rule}. */
export interface RuleOptions {
  /** The platforms whose own `pipeTo` does otherwise; the rule's test says what it does. */
  brokenOn?: readonly string[];
  /** The platforms whose streams make it impossible, whatever pipes them: see `deviations.ts`. */
  except?: readonly string[];
  /** The runtimes it is for, as in {@linkcode test}. */
  on?: readonly Runtime[];
}

/** A rule's test. */
export type RuleBody = (pipe: Pipe) => Promise<void>;

/** Registers a rule twice: for `pipe`, and for the platform's `pipeTo`. */
export function rule(name: string, body: RuleBody): void;
/** Registers a rule that not every platform's `pipeTo` keeps. */
export function rule(name: string, options: RuleOptions, body: RuleBody): void;
export function rule(name: string, ...rest: [RuleBody] | [RuleOptions, RuleBody]): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  if (options.except?.includes(platform)) return;
  test(`pipe: ${name}`, { on: options.on }, () => body(pipe));
  nativeRule(name, options, body);
}

/** Registers a rule for the platform's `pipeTo` alone, as code outside an engine cannot keep it. */
export function nativeRule(name: string, body: RuleBody): void;
/** Registers such a rule that not every platform keeps. */
export function nativeRule(name: string, options: RuleOptions, body: RuleBody): void;
export function nativeRule(name: string, ...rest: [RuleBody] | [RuleOptions, RuleBody]): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  const broken = [options.brokenOn, options.except, PIPES_CHUNK_BY_CHUNK];
  if (broken.some((platforms) => platforms?.includes(platform))) return;
  test(`pipeTo: ${name}`, { on: options.on }, () => body(pipeTo));
}

/** Lets everything happen that is not waiting for the test, timers of 0 ms included. */
export async function settle(): Promise<void> {
  await macrotask();
  await new Promise((resolve) => setTimeout(resolve));
  await macrotask();
}

/** One call of an underlying source or sink: its name and its argument. */
export type Call = readonly [name: string, argument?: unknown];

/** Options of {@linkcode Rig}. */
export interface RigOptions {
  /** What the source has in its queue. */
  chunks?: readonly unknown[];
  /** Whether the source is closed after them. */
  closed?: boolean;
  /** The source's high-water mark. */
  readMark?: number;
  /** The sink's high-water mark. */
  mark?: number;
  /** What the sink takes a chunk for; 1 if nothing is said. */
  size?: (chunk: unknown) => number;
  /** Whether a write waits for {@linkcode Rig.writes}. */
  hold?: boolean;
  /** What the source's `cancel` gives. */
  onCancel?: () => void | Promise<void>;
  /** What the sink's `close` gives. */
  onClose?: () => void | Promise<void>;
  /** What the sink's `abort` gives. */
  onAbort?: () => void | Promise<void>;
  /** What the sink's `start` gives. */
  onStart?: () => void | Promise<void>;
}

/** A source and a sink in memory that note every call, and their controllers. */
export class Rig {
  /** The calls of `write`, `close`, `abort` and `cancel`, in order. */
  readonly calls: Call[] = [];
  /** The writes under way and done, in order. */
  readonly writes: Deferred[] = [];
  readonly source: ReadableStream<unknown>;
  readonly sink: WritableStream<unknown>;
  /** How often `pull` was called. */
  pulls = 0;
  input!: ReadableStreamDefaultController<unknown>;
  output!: WritableStreamDefaultController;

  constructor(options: RigOptions = {}) {
    const { chunks = [], closed, readMark = 0, mark = 1, size, hold } = options;
    this.source = new ReadableStream({
      start: (controller) => {
        this.input = controller;
        for (const chunk of chunks) controller.enqueue(chunk);
        if (closed) controller.close();
      },
      pull: () => void this.pulls++,
      cancel: (reason) => {
        this.calls.push(["cancel", reason]);
        return options.onCancel?.();
      },
    }, { highWaterMark: readMark });
    this.sink = new WritableStream({
      start: (controller) => {
        this.output = controller;
        return options.onStart?.();
      },
      write: (chunk) => {
        this.calls.push(["write", chunk]);
        const write = deferred();
        this.writes.push(write);
        if (!hold) write.resolve();
        return write.promise;
      },
      close: () => {
        this.calls.push(["close"]);
        return options.onClose?.();
      },
      abort: (reason) => {
        this.calls.push(["abort", reason]);
        return options.onAbort?.();
      },
    }, { highWaterMark: mark, size });
  }

  /** Whether the source and the sink are locked. */
  get locked(): [boolean, boolean] {
    return [this.source.locked, this.sink.locked];
  }

  /** What is left in the source, which this closes. */
  async left(): Promise<unknown[]> {
    const reader = this.source.getReader();
    try {
      this.input.close();
    } catch {
      // It is closed, or was asked to be.
    }
    const chunks = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return chunks;
      chunks.push(value);
    }
  }
}

/** How a promise stands. */
export interface Settlement {
  state: "pending" | "fulfilled" | "rejected";
  reason?: unknown;
}

/** Follows a promise. */
export function follow(promise: Promise<unknown>): Settlement {
  const outcome: Settlement = { state: "pending" };
  promise.then(
    () => void (outcome.state = "fulfilled"),
    (reason) => void Object.assign(outcome, { state: "rejected", reason }),
  );
  return outcome;
}

/** How a stream stands whose lock is free. */
export async function stateOf(
  stream: ReadableStream<unknown> | WritableStream<unknown>,
): Promise<Settlement> {
  const handle = stream instanceof ReadableStream ? stream.getReader() : stream.getWriter();
  const outcome = follow(handle.closed);
  await settle();
  // Unlocking rejects `closed` where it was pending.
  const now = { ...outcome };
  handle.releaseLock();
  return now;
}
