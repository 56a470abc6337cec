// How pumps share the thread with each other, with timers and with the platform's events; for pumps alone.

/**
 * Shares the thread among all pumps of a process, its timers and the platform's events.
 *
 * A promise that is ready at once resolves without a turn of the event loop (a macrotask). A pump whose source
 * always has more and whose sink always has room would keep the thread for good. So a pump that has moved its
 * share queues up. The pumps in the queue go on one after the other, each for a moment, as long as a slice of time
 * lasts. Then sockets and timers are looked at, and the next slice begins.
 *
 * - A pump looks at the clock when it has moved its share, which costs 40 ns. A macrotask costs 2 µs by
 *   `setImmediate` (Deno, Bun, Node), 1 to 3 µs by `MessageChannel`, 1 to 2 ms by a timer; on Deno it takes many
 *   macrotasks until a socket is looked at, see {@linkcode HOPS}.
 * - A pump that is alone gets a long slice, of which the macrotasks cost 1 %. Several pumps get a short slice, so
 *   that a message waits for little: 16 bulk transfers beside 16 echoes over TCP move 1.6 GB/s on Deno by shares
 *   of 256 KiB, and an echo takes 3.6 ms. By shares of 64 KiB they move 1.3 GB/s, and an echo takes as long.
 * - Slices end on time however many pumps wait. If the whole queue went on in each slice, a new connection beside
 *   16 bulk transfers would take 12 ms until its first answer (p99 37), and not 7 (p99 12).
 *
 * @module
 */

/** How long a pump that is alone keeps the thread, in milliseconds. */
const LONE_SLICE_MS = 8;
/** What each of several pumps at work adds to the slice, in milliseconds ... */
const SLICE_MS_PER_PUMP = 0.06;
/** ... and the bounds of the slice. */
const MIN_SLICE_MS = 0.3;
const MAX_SLICE_MS = 3;
/**
 * How long, and for how many shares, a pump from the queue keeps the thread before the next one goes on. The time
 * alone would tell little: other processes may have had most of it.
 */
const RUN_MS = 0.2;
const RUN_SHARES = 6;
/** What a pump that is alone moves between two looks at the clock, in bytes. */
const MAX_SHARE = 1024 * 1024;
/** What each of many pumps moves between two looks at the clock, in bytes. */
export const MIN_SHARE: number = 256 * 1024;
/** A pump is at work if it has moved something within this time, in milliseconds. */
const PERIOD_MS = 20;

/**
 * How many macrotasks it takes until sockets and timers have been looked at. Deno does that in every 61st only,
 * unless it has nothing else to do (tokio's `event_interval`, set in Deno's `runtime/tokio_util.rs`): 61 take
 * 55 µs.
 */
const HOPS = "Deno" in globalThis ? 61 : 1;

/** A slice ends after this number of shares, too: workerd's clock stands still between two events. */
const MAX_SHARES = 1024;

class Turns {
  /** Whether pumps may wait for each other. In workerd a request must not wait for what another request fulfils. */
  readonly areShared: boolean = !("WebSocketPair" in globalThis);
  /** How many bytes a pump may move until it asks whether the slice lasts: a power of two. */
  share = MAX_SHARE;
  /** Changes every {@linkcode PERIOD_MS} while any pump asks. */
  period = 0;
  #periodEnd = 0;
  #atWork = 0;
  #slice = LONE_SLICE_MS;
  #sliceEnd = 0;
  /** When the pump that was woken last is to let the next pump go on. */
  #runEnd = 0;
  #shares = 0;
  /** Each function wakes a pump; the pump that has waited longest comes first. */
  readonly #queue: (() => void)[] = [];
  /** A macrotask is under way to serve the queue. */
  #isTurning = false;
  /** Macrotasks left until the next slice; 0 during one. */
  #hops = 0;

  /** A pump reports its first chunk in a period. Returns which period that is. */
  reportWork(): number {
    this.#atWork++;
    return this.period;
  }

  /** A pump that has reported its work is done: a pump that works after it, and not beside it, is alone. */
  reportEnd(period: number): void {
    if (period === this.period) this.#atWork--;
  }

  /**
   * Whether a pump may go on. If not, the pump has to wait for {@linkcode Turns.next}, or for a timer of its own
   * where turns are not shared.
   */
  sliceLasts(): boolean {
    const now = performance.now();
    if (now >= this.#periodEnd) this.#beginPeriod(now);
    const waited = this.#queue.length > 0;
    const [end, shares] = waited ? [this.#runEnd, RUN_SHARES] : [this.#sliceEnd, MAX_SHARES];
    if (now < end && ++this.#shares < shares) return true;
    if (!this.areShared) this.#beginSlice(now);
    return false;
  }

  /** Fulfils when timers, events and all pumps that have waited longer have had their turn. */
  next(): Promise<void> {
    if (!this.#isTurning) inNextTurn(this.#turn);
    this.#isTurning = true;
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  /** Wakes one pump in each macrotask of a slice. Sockets are looked at in the macrotasks between two slices. */
  readonly #turn = (): void => {
    const now = performance.now();
    if (this.#hops === 0 && now >= this.#sliceEnd) this.#hops = HOPS;
    if (this.#hops > 0) {
      if (--this.#hops > 0) return inNextTurn(this.#turn);
      this.#beginSlice(now);
    }
    this.#isTurning = this.#queue.length > 0;
    if (!this.#isTurning) return;
    this.#runEnd = now + RUN_MS;
    this.#shares = 0;
    inNextTurn(this.#turn);
    this.#queue.shift()!();
  };

  #beginSlice(now: number): void {
    this.#shares = 0;
    this.#sliceEnd = now + this.#slice;
  }

  #beginPeriod(now: number): void {
    // If no pump has asked for longer than a period, those that were at work have stopped.
    const isCurrent = now < this.#periodEnd + PERIOD_MS;
    const atWork = isCurrent ? Math.max(1, this.#atWork) : 1;
    this.share = Math.max(MIN_SHARE, MAX_SHARE / 2 ** Math.ceil(Math.log2(atWork)));
    const slice = Math.max(MIN_SLICE_MS, Math.min(atWork * SLICE_MS_PER_PUMP, MAX_SLICE_MS));
    this.#slice = atWork === 1 ? LONE_SLICE_MS : slice;
    this.#atWork = 0;
    this.#periodEnd = now + PERIOD_MS;
    this.period++;
  }
}

/** The turns of this thread. */
export const turns: Turns = new Turns();

type Schedule = (callback: () => void) => void;

let schedule: Schedule | undefined;

/** Calls back in a macrotask of its own. */
function inNextTurn(callback: () => void): void {
  schedule ??= cheapestSchedule();
  schedule(callback);
}

/** Browsers have no `setImmediate`, and make a timer wait for 4 ms. */
function cheapestSchedule(): Schedule {
  const { setImmediate } = globalThis as { setImmediate?: Schedule };
  if (setImmediate) return setImmediate;
  if (typeof MessageChannel === "undefined") return setTimeout;
  const { port1, port2 } = new MessageChannel();
  const callbacks: (() => void)[] = [];
  port1.onmessage = () => callbacks.shift()?.();
  return (callback) => {
    callbacks.push(callback);
    port2.postMessage(undefined);
  };
}
