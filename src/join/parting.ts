// What a join still does for both ends after one of them has failed; for `joining.ts` alone.

import { isObject } from "../check/kinds.ts";
import type { Failure } from "../errors.ts";
import { GRACE_MS, type JoinedEnd } from "./joined_end.ts";
import type { Lane } from "./lane.ts";

/** For how long at most the other end's input is read and dropped, in ms; nginx's `lingering_time`: 30 s. */
const LINGER_MS = 5000;
/** How long to wait, in ms, for input of an end that was not sending when the other end was lost. */
const PROBE_MS = 100;
/** More bytes than the buffers of a TCP connection hold: a peer that took so many since has read what came before. */
const FRESH_BYTES = 8 * 1024 * 1024;

/**
 * How a join ends that has lost one of its ends. What the lost end has sent is still delivered, up to its end of
 * file, a failure or a second of silence. Then what the other end still sends is read and dropped for a while: to
 * close that end on top of unread input would reset the connection, and destroy what was delivered (nginx:
 * lingering close).
 */
export class Parting {
  /** Fulfils when there is nothing more to wait for. */
  readonly over: Promise<void>;
  /** From the lost end. */
  readonly #words: Lane;
  /** To the lost end: nobody takes it any more. */
  readonly #rest: Lane;
  readonly #isEndOfFileFalse: boolean;
  readonly #interrupts: boolean;
  #phase: "delivering" | "lingering" | "over" = "delivering";
  /** How often something of the rest had moved when lingering began. */
  #movesBefore = 0;
  /** The silence counts from here ... */
  #since = performance.now();
  /** ... and it is waited for until here at most. */
  #until = Infinity;
  #timer?: ReturnType<typeof setTimeout>;
  #resolve!: () => void;

  /**
   * @param words The direction whose `from` is lost, by `failure`.
   * @param rest The opposite direction.
   * @param interrupts Whether something of the rest was under way then.
   */
  constructor(words: Lane, rest: Lane, failure: Failure, interrupts: boolean) {
    this.#words = words;
    this.#rest = rest;
    this.#isEndOfFileFalse = isReset(failure.cause);
    this.#interrupts = interrupts;
    this.over = new Promise((resolve) => this.#resolve = resolve);
  }

  /** Begins. What is read may end the join at once, so its owner has to know of this object by then. */
  start(): void {
    const words = this.#words;
    words.from.markGone();
    words.meter.time();
    if (words.isOver || words.failure) this.#linger();
    else this.#watch();
  }

  /** The other end, if all that the lost end has sent, and its end of file, has reached it: closed, not aborted. */
  get served(): JoinedEnd | undefined {
    const { isOver, to } = this.#words;
    return isOver && !to.isLeftOpen ? to : undefined;
  }

  /** Whether an end of file of `lane` is false: once it has told of a reset, TCP reads as if the peer had ended. */
  distrusts(lane: Lane): boolean {
    return this.#isEndOfFileFalse && lane === this.#words;
  }

  onLaneOver(lane: Lane): void {
    if (lane === this.#words) this.#linger();
    else if (this.#phase === "lingering") this.stop();
  }

  /** A further failure of `lane`: nothing more is to be dropped or delivered, or no more words come. */
  onLaneFailure(lane: Lane): void {
    if (lane === this.#rest || lane.failure?.side === "write") this.stop();
    else void lane.pump.settled().then(() => this.#linger());
  }

  /** Waits no longer. */
  stop(): void {
    this.#phase = "over";
    clearTimeout(this.#timer);
    this.#resolve();
  }

  #linger(): void {
    if (this.#phase === "over") return;
    const { isOver, meter, to } = this.#words;
    const rest = this.#rest;
    const { bytes } = rest.counts;
    // What was said before the peer had read so much has been read as well by now.
    const isFresh = meter.counts.bytes > 0 && bytes - meter.oppositeBytesThen <= FRESH_BYTES;
    // An end that cannot half-close is told by being closed.
    const isClosedAtOnce = isOver && !to.halfCloseOut;
    const isOpen = !rest.hasSourceEnded && !rest.pump.isSourceOver;
    const sends = isOpen && (this.#interrupts || bytes > 0);
    if (!sends || !isFresh || isClosedAtOnce) return this.stop();
    this.#phase = "lingering";
    rest.meter.time();
    this.#movesBefore = rest.meter.moves;
    this.#since = performance.now();
    this.#until = this.#since + LINGER_MS;
    this.#watch();
    rest.discardRest();
  }

  /** Waits for silence. */
  #watch(): void {
    if (this.#phase === "over") return;
    clearTimeout(this.#timer);
    const isLingering = this.#phase === "lingering";
    // What is dropped does not count for a lane, but a peer that sends it is not silent.
    const moved = isLingering ? this.#rest.meter.lastActivity : this.#words.lastActivity;
    const sends = this.#interrupts || !isLingering || this.#rest.meter.moves > this.#movesBefore;
    const silentAt = sends ? Math.max(this.#since, moved) + GRACE_MS : this.#since + PROBE_MS;
    const ms = Math.min(silentAt, this.#until) - performance.now();
    if (ms <= 0) this.stop();
    else this.#timer = setTimeout(() => this.#watch(), ms);
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
