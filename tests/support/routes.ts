/**
 * One test body for every way that `join` can go: Go-style ends, byte streams and default streams,
 * each moved by our pump and by the platform's `pipeTo`.
 *
 * @module
 */
import {
  BufferPool,
  join,
  type JoinOptions,
  type JoinResult,
  type JoinStats,
} from "@webstreams/join";
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { FakeEnd, type FakeEndOptions, type Kind, KINDS, PAIR_KINDS } from "./fake_end.ts";
import { CountingController } from "./signal.ts";
import { type WatchedTimers, watchTimers } from "./timers.ts";

/** One of them. */
export interface Route {
  readonly kind: Kind;
  readonly via: "auto" | "pipeTo";
}

/** All of them. */
export const routes: readonly Route[] = KINDS
  .flatMap((kind) => (["auto", "pipeTo"] as const).map((via) => ({ kind, via })));

/** What a test on a route works with. */
export class Trial {
  readonly route: Route;
  readonly pool: BufferPool = new BufferPool();
  readonly stats: JoinStats = {};
  readonly controller: CountingController = new CountingController();
  readonly timers: WatchedTimers;
  #settled = 0;

  constructor(route: Route, timers: WatchedTimers) {
    this.route = route;
    this.timers = timers;
  }

  /** How many joins have settled. */
  get settled(): number {
    return this.#settled;
  }

  /** A new end of the route's kind. A byte stream whose chunks come back is read by its BYOB reader. */
  end(options?: FakeEndOptions): FakeEnd {
    const { kind } = this.route;
    return new FakeEnd(kind, { consumesOnWrite: kind === "bytes", ...options });
  }

  /** Two of them. */
  ends(options?: FakeEndOptions): [FakeEnd, FakeEnd] {
    return [this.end(options), this.end(options)];
  }

  /** Joins them, with a pool, a signal and stats of its own, and looks at what is left behind. */
  join(a: FakeEnd, b: FakeEnd, options: JoinOptions = {}): Promise<JoinResult> {
    const joined = join(a.end, b.end, {
      pool: this.pool,
      signal: this.controller.signal,
      stats: this.stats,
      via: this.route.via,
      ...options,
    });
    const looked = joined.finally(() => {
      this.#settled++;
      this.nothingIsLeft(a, b);
    });
    // A test that fails before it looks at the outcome must not take those after it along.
    looked.catch(() => {});
    return looked;
  }

  /** No timer, listener, lock or lent buffer. */
  nothingIsLeft(...ends: FakeEnd[]): void {
    const locked = ends.flatMap(({ end }) =>
      "readable" in end ? [end.readable.locked, end.writable.locked] : []
    );
    assertEquals(
      {
        timers: this.timers.pending.size,
        listeners: this.controller.listeners,
        locked: locked.includes(true),
        lent: this.pool.lent,
      },
      { timers: 0, listeners: 0, locked: false, lent: 0 },
      "something is left behind",
    );
  }
}

/** Options of {@linkcode testRoutes}. */
export interface RouteTestOptions {
  /** Only these kinds of ends. */
  kinds?: readonly Kind[];
  via?: "auto" | "pipeTo";
  /** Only half of them, though each kind and each way once: for what takes its time. */
  some?: boolean;
}

/** Registers a test for each route. */
export function testRoutes(
  name: string,
  body: (trial: Trial) => Promise<void>,
  { kinds, via, some }: RouteTestOptions = {},
): void {
  for (const route of routes) {
    if (kinds && !kinds.includes(route.kind) || via && via !== route.via) continue;
    if (some && (route.kind === "default") !== (route.via === "pipeTo")) continue;
    test(`${name} (${route.kind}, ${route.via})`, { timeout: 10_000 }, async () => {
      const timers = watchTimers();
      try {
        await body(new Trial(route, timers));
      } finally {
        timers.restore();
      }
    });
  }
}

/** Half of the routes, for what takes its time. */
export const SOME: RouteTestOptions = { some: true };
/** Pairs of streams alone. */
export const PAIRS: RouteTestOptions = { kinds: PAIR_KINDS };
/** Go-style ends alone. */
export const CONNS: RouteTestOptions = { kinds: ["conn"] };
