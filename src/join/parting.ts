// What a join still does for both ends after a write to one has failed; for `joining.ts` alone.

import { isObject } from "../check/kinds.ts";
import type { Failure } from "../errors.ts";
import { GRACE_MS, type JoinedEnd } from "./joined_end.ts";
import type { Lane } from "./lane.ts";

/** How long what an end still sends is read and dropped at most; nginx's `lingering_time` is 30 s. */
const LINGER_MS = 5000;
/** How long an end is listened to of which nothing has waited when the other was lost: is it still sending? */
const PROBE_MS = 100;
/** More than the buffers of a TCP connection hold: what was said before so much has been read by now. */
const FRESH_BYTES = 8 * 1024 * 1024;

/**
 * How a join ends one of whose ends is lost. What that end has sent is still delivered, up to its end
 * of file, a failure or a second of silence. Then what the other end still sends is read and dropped for
 * a while: closing it on top of unread input would reset the connection, and destroy what was delivered
 * (nginx: lingering close).
 */
export class Parting {
  /** Fulfils when there is nothing more to wait for. */
  readonly over: Promise<void>;
  /** From the lost end. */
  readonly #words: Lane;
  /** To the lost end: nobody takes it any more. */
  readonly #rest: Lane;
  readonly #falseEnd: boolean;
  readonly #interrupts: boolean;
  /** Of the rest, when it was begun to be dropped. */
  #moves = 0;
  /** What is waited for counts from here. */
  #since = performance.now();
  #until = Infinity;
  #timer?: ReturnType<typeof setTimeout>;
  #isOver = false;
  #resolve!: () => void;

  /**
   * @param words The direction whose `from` is lost, by `failure`.
   * @param interrupts Whether something of the rest was under way then.
   */
  constructor(words: Lane, rest: Lane, failure: Failure, interrupts: boolean) {
    this.#words = words;
    this.#rest = rest;
    this.#falseEnd = isReset(failure.cause);
    this.#interrupts = interrupts;
    this.over = new Promise((resolve) => this.#resolve = resolve);
  }

  /** What is read may end the join at once, so that its owner has to know it by then. */
  start(): void {
    const words = this.#words;
    words.from.gone = true;
    words.meter.time();
    if (words.ended || words.failure) this.#linger();
    else this.#watch();
  }

  /** The end that has got the last word, and an end of file behind it or none at all: to be closed. */
  get served(): JoinedEnd | undefined {
    const { ended, to } = this.#words;
    return ended && !to.left ? to : undefined;
  }

  /** Whether an end of file is none: TCP tells of a reset once, and reads as if it had ended after that. */
  distrusts(lane: Lane): boolean {
    return this.#falseEnd && lane === this.#words;
  }

  laneEnded(lane: Lane): void {
    if (lane === this.#words) this.#linger();
    else if (this.#until < Infinity) this.stop();
  }

  async laneFailed(lane: Lane): Promise<void> {
    if (lane === this.#rest || lane.failure?.side === "write") return this.stop();
    await lane.settled();
    this.#linger();
  }

  /** Waits no longer. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#resolve();
  }

  #linger(): void {
    if (this.#isOver) return;
    const { ended, meter, to } = this.#words;
    const rest = this.#rest;
    const { bytes } = rest.counts;
    const fresh = meter.counts.bytes > 0 && bytes - meter.heardAt <= FRESH_BYTES;
    // One that cannot half-close is told by being closed.
    const closedAtOnce = ended && to.halfClose !== true;
    const sends = !rest.sourceEnded && !rest.sourceOver && (this.#interrupts || bytes > 0);
    if (!sends || !fresh || closedAtOnce) return this.stop();
    rest.meter.time();
    this.#moves = rest.meter.moves;
    this.#since = performance.now();
    this.#until = this.#since + LINGER_MS;
    this.#watch();
    rest.dropRest();
  }

  /** Waits for silence. */
  #watch(): void {
    if (this.#isOver) return;
    clearTimeout(this.#timer);
    // What is dropped does not count for a lane, but a peer that sends it is not silent.
    const moved = this.#until < Infinity ? this.#rest.meter.lastActivity : this.#words.lastActivity;
    const sends = this.#interrupts || this.#until === Infinity ||
      this.#rest.meter.moves > this.#moves;
    const silentAt = sends ? Math.max(this.#since, moved) + GRACE_MS : this.#since + PROBE_MS;
    const left = Math.min(silentAt, this.#until) - performance.now();
    if (left <= 0) this.stop();
    else this.#timer = setTimeout(() => this.#watch(), left);
  }
}

function isReset(error: unknown): boolean {
  try {
    const { name, code } = (isObject(error) ? error : {}) as { name?: unknown; code?: unknown };
    return name === "ConnectionReset" || code === "ECONNRESET";
  } catch {
    // It throws when it is looked at, which a platform's does not.
    return false;
  }
}
