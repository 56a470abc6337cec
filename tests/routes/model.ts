/**
 * What `join` does, without streams, buffers or time: a script's steps change numbers here, and the
 * real thing must come to rest at the same ones.
 *
 * @module
 */
import { otherSide, type Side, sides } from "../support/sides.ts";
import type { EndTraits, Script, ScriptStep } from "./scenario.ts";

/** How a join ends. */
export type Prediction =
  | { readonly how: "timeout" }
  | PredictedSuccess
  | { readonly how: "abort" }
  | { readonly how: "read"; readonly at: Side }
  | { readonly how: "write"; readonly at: Side }
  | { readonly how: "end"; readonly at: Side }
  | { readonly how: "limit"; readonly from: Side };

/** All has passed; it is a failure all the same if an end cannot be closed. */
export interface PredictedSuccess {
  readonly how: "eof";
  /** The ends whose closing fails. */
  readonly failing: readonly Side[];
}

/** How a join fails. */
export type PredictedFailure = Exclude<
  Prediction,
  PredictedSuccess | { how: "timeout" } | { how: "abort" }
>;

type Item = number | "eof" | "error";

/** The direction that starts at one end. */
interface Lane {
  readonly from: Side;
  readonly to: Side;
  readonly items: Item[];
  passed: number;
  /** What was sent and will not arrive, although nothing fails. */
  dropped: number;
  /** The end it leads to is over, so all that still comes is dropped. */
  draining: boolean;
  ended: boolean;
}

/** A join, predicted. */
export class Model {
  outcome?: Prediction;
  /** The writing of an end that can half-close has been ended. */
  readonly halfClosed: Record<Side, boolean> = { a: false, b: false };
  /** Ends whose writes do not settle. */
  readonly stalled: Record<Side, boolean> = { a: false, b: false };
  /** Ends whose next write fails. */
  readonly refusing: Record<Side, boolean> = { a: false, b: false };
  readonly lanes: Record<Side, Lane> = { a: lane("a"), b: lane("b") };
  readonly #script: Omit<Script, "steps">;
  #started = false;

  constructor(script: Omit<Script, "steps">) {
    this.#script = script;
  }

  /** `join` is called. */
  start(): void {
    this.#started = true;
    this.#settle();
  }

  apply(step: ScriptStep): void {
    switch (step.do) {
      case "send":
        for (const { from, sizes, then } of step.what) {
          this.lanes[from].items.push(...sizes, ...then ? [then] : []);
        }
        break;
      case "stall":
        this.stalled[step.at] = true;
        break;
      case "resume":
        this.stalled[step.at] = false;
        break;
      case "refuse":
        this.refusing[step.at] = true;
        break;
      case "abort":
        this.outcome = { how: "abort" };
        break;
      case "wait":
        this.outcome ??= { how: "timeout" };
    }
    this.#settle();
  }

  /** How many bytes have arrived at `side`. */
  arrived(side: Side): number {
    return this.lanes[otherSide(side)].passed;
  }

  /** Whether `side` has sent its last item, which may still wait. */
  atEnd(side: Side): boolean {
    const { items, ended } = this.lanes[side];
    return ended || items.some((item) => typeof item === "string");
  }

  /** Whether the last item of `side` has to wait. */
  endWaits(side: Side): boolean {
    return this.#started && this.atEnd(side) && !this.lanes[side].ended;
  }

  /** Whether `side` is over although it cannot half-close, so that nothing can be written to it. */
  gone(side: Side): boolean {
    return this.lanes[otherSide(side)].draining;
  }

  /** Whether a failure waits behind a write that does not settle. */
  get failureWaits(): boolean {
    return Object.values(this.lanes).some((lane) =>
      lane.items.includes("error") || this.#exceedsLimit(lane)
    );
  }

  /** Whether everything that `side` sent has arrived. */
  lossless(side: Side): boolean {
    const { items, dropped } = this.lanes[side];
    return items.length + dropped === 0;
  }

  /** How many bytes that `side` sent have to wait. */
  waiting(side: Side): number {
    return this.lanes[side].items.reduce<number>((sum, item) => sum + (+item || 0), 0);
  }

  /** Whether a lane that is over, or waits, holds more than may pass. */
  exceedsLimit(from: Side, more: number): boolean {
    return this.#exceedsLimit(this.lanes[from], more);
  }

  #exceedsLimit({ from, passed, draining }: Lane, more = 0): boolean {
    return !draining && passed + this.waiting(from) + more > (this.#script.limit[from] ?? Infinity);
  }

  #settle(): void {
    if (!this.#started) return;
    let moved = true;
    while (moved) {
      moved = false;
      for (const lane of Object.values(this.lanes)) {
        while (!this.outcome && lane.items.length > 0 && this.#move(lane)) moved = true;
      }
    }
  }

  /** Moves the first item of a lane; `false` if it has to wait. */
  #move(lane: Lane): boolean {
    const { from, to, items } = lane;
    const item = items[0];
    if (typeof item === "string") {
      items.shift();
      if (item === "eof") this.#end(lane);
      else this.outcome = { how: "read", at: from };
      return true;
    }
    const allowance = (this.#script.limit[from] ?? Infinity) - lane.passed;
    if (item > 0 && !lane.draining) {
      if (allowance === 0) this.outcome = { how: "limit", from };
      else if (this.stalled[to]) return false;
      else if (this.refusing[to]) this.outcome = { how: "write", at: to };
      else {
        lane.passed += Math.min(item, allowance);
        if (item > allowance) this.outcome = { how: "limit", from };
      }
    } else {
      lane.dropped += item;
    }
    items.shift();
    return true;
  }

  #end(lane: Lane): void {
    const { ends, preventClose } = this.#script;
    const { from, to } = lane;
    const opposite = this.lanes[to];
    if (!ends[from].halfCloses && !opposite.ended) {
      opposite.draining = true;
      while (typeof opposite.items[0] === "number") {
        opposite.dropped += opposite.items.shift() as number;
      }
    }
    if (ends[to].halfCloses === true && !preventClose[to]) {
      if (ends[to].endFails) {
        this.outcome = { how: "end", at: to };
        return;
      }
      this.halfClosed[to] = true;
    }
    lane.ended = true;
    // Of two that cannot half-close, one that has ended ends the other as well.
    const isAll = ends[from].halfCloses === false && ends[to].halfCloses === false;
    if (!isAll && !opposite.ended) return;
    const failing = sides.filter((side) => !preventClose[side] && failsToClose(ends[side]));
    this.outcome = { how: "eof", failing };
  }
}

/** Whether closing an end fails, which is all there is to one that cannot half-close. */
export function failsToClose({ halfCloses, endFails, closeFails }: EndTraits): boolean {
  return closeFails || halfCloses !== true && endFails;
}

function lane(from: Side): Lane {
  return {
    from,
    to: otherSide(from),
    items: [],
    passed: 0,
    dropped: 0,
    draining: false,
    ended: false,
  };
}
