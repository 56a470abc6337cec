// The timeouts of a join; for `joining.ts` alone.

import type { Lane } from "./lane.ts";
import { MAX_TIMEOUT_MS } from "../check/options.ts";

/** Which time may be up. */
export type TimeUp = "half-close-timeout" | "idle" | "duration";

/** The timeouts, in milliseconds; each may be `Infinity`. */
export interface Times {
  readonly idleTimeout: number;
  readonly maxDuration: number;
}

/**
 * The time of a join: one timer for deadlines that traffic keeps moving, never reset by a chunk. To know when a
 * chunk has moved costs a clock read for each, so it is noted only where it is needed: with an `idleTimeout` from
 * the start, without one from the first half-close.
 */
export class Clock {
  readonly #startedAt = performance.now();
  readonly #lanes: readonly Lane[];
  readonly #times: Times;
  readonly #isUp: (what: TimeUp) => void;
  #idleTimeout: number;
  #halfCloseTimeout = Infinity;
  /** Whether the user has asked for a timeout, so that waiting for it must keep the process alive. */
  #isAsked: boolean;
  #halfClosedAt = Infinity;
  #windingDown = false;
  #timer?: ReturnType<typeof setTimeout>;

  constructor(lanes: readonly Lane[], times: Times, isUp: (what: TimeUp) => void) {
    this.#lanes = lanes;
    this.#times = times;
    this.#idleTimeout = times.idleTimeout;
    this.#isAsked = Math.min(times.idleTimeout, times.maxDuration) !== Infinity;
    this.#isUp = isUp;
  }

  /** Milliseconds since the start. */
  get ms(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  /**
   * Tells if a time is up, and else waits until one may be. Silence is told if there is still silence a turn later: a
   * thread that has stood still hears of its timers before it reads what has come meanwhile.
   */
  look(isConfirmed = false): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const deadlines = this.#deadlines();
    const [what] = deadlines.find(([, deadline]) => deadline <= now) ?? [];
    if (what && (isConfirmed || what === "duration")) return this.#isUp(what);
    const ms = what ? 0 : Math.min(...deadlines.map(([, deadline]) => deadline)) - now;
    if (ms === Infinity) return;
    this.#timer = setTimeout(() => this.look(what !== undefined), Math.min(ms, MAX_TIMEOUT_MS));
    // Where a timer is a number, as in browsers, no timer keeps anything alive.
    if (!this.#isAsked) (this.#timer as { unref?(): void }).unref?.();
  }

  /** A direction has ended: the silence of the other counts from here, and may last for `timeout`. */
  halfClosed(timeout: number, isAsked: boolean): void {
    if (this.#windingDown) return;
    this.#halfCloseTimeout = timeout;
    this.#isAsked ||= isAsked;
    this.#halfClosedAt = performance.now();
    for (const { meter } of this.#lanes) meter.time();
    this.look();
  }

  /** Nothing is left to do but to hand on what was read: idleness is no failure any more. */
  windDown(timeout: number): void {
    this.#idleTimeout = Infinity;
    this.halfClosed(timeout, true);
    this.#windingDown = true;
  }

  /** Both directions have ended: what the closing takes counts from here. */
  beginClosing(): void {
    this.#halfClosedAt = performance.now();
    this.look();
  }

  /** The cause that a join fails with which was idle, or lasted, for too long. */
  error(what: "idle" | "duration"): DOMException {
    const { idleTimeout, maxDuration } = this.#times;
    const message = what === "idle"
      ? `Nothing was read or written for ${idleTimeout} ms`
      : `It was not over after ${maxDuration} ms`;
    return new DOMException(message, "TimeoutError");
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** If several times are up, the first of these counts. */
  #deadlines(): readonly (readonly [TimeUp, number])[] {
    const moved = (lanes: readonly Lane[]) => Math.max(...lanes.map((lane) => lane.lastActivity));
    const open = this.#lanes.filter((lane) => !lane.isOver);
    // The closing alone may take long, unless somebody has asked for a bound.
    const silence = open.length > 0 || this.#isAsked ? this.#halfCloseTimeout : Infinity;
    return [
      ["half-close-timeout", Math.max(this.#halfClosedAt, moved(open)) + silence],
      ["idle", moved(this.#lanes) + this.#idleTimeout],
      ["duration", this.#startedAt + this.#times.maxDuration],
    ];
  }
}
