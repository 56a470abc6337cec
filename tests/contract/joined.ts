import {
  type End,
  join,
  JoinError,
  type JoinOptions,
  type JoinResult,
  memoryPair,
  type Pair,
} from "@webstreams/join";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { test } from "../harness.ts";
import { rejection } from "../support/async.ts";
import { CountingController } from "../support/signal.ts";
import { untyped } from "../support/untyped.ts";
import { hashOf, type Parcel } from "../support/parcels.ts";
import { type Far, FarEnd, type FarOptions, type FarStats, type Until } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";
import type { Ended } from "../peer/wire.ts";
import type { Connected, Setup } from "./setup.ts";

/** How a test joins the end. */
export interface Placement {
  /** How the bytes are moved; `streams`: by the pump, but through the end's two streams. */
  readonly via: "auto" | "streams" | "pipeTo";
  /** Which of the two it is. */
  readonly side: "a" | "b";
}

/** The main one, for what need not be on each. */
export const MAIN: readonly Placement[] = [{ via: "auto", side: "a" }];
/** The end on either side, and the other ways through it. */
export const PLACEMENTS: readonly Placement[] = [
  ...MAIN,
  { via: "streams", side: "b" },
  { via: "pipeTo", side: "b" },
];

/** Options of {@linkcode testJoined}. */
export interface JoinedOptions extends Omit<JoinOptions, "signal" | "drain" | "stats" | "via"> {
  readonly placements?: readonly Placement[];
  /** Of the end's peer, and of the one behind the other end, which is in this process. */
  readonly peer?: FarOptions;
  readonly local?: FarOptions;
  /** Whether the join can be drained. */
  readonly drains?: boolean;
}

/** The end joined to one half of a memory pair. */
export interface Joined {
  readonly placement: Placement;
  /** The far side of the end: what it gets has come out of the join through the end. */
  readonly peer: Far;
  /** The far side of the other one. */
  readonly local: Far;
  readonly joined: Promise<JoinResult>;
  readonly controller: CountingController;
  /** Stops it gracefully, if it can be. */
  drain(): void;
  /** What has passed from `local` to `peer` and back. */
  counts(): { out: JoinResult["aToB"]; in: JoinResult["aToB"] };
  /** How often the end was closed or aborted; `undefined` if it has no such functions. */
  closes(): number | undefined;
}

const SETTLE_MS = 10_000;
const QUIET_MS = 150;

/** Registers a test for each placement. */
export function testJoined(
  setup: Setup,
  name: string,
  body: (it: Joined) => Promise<void>,
  options: JoinedOptions = {},
): void {
  for (const placement of options.placements ?? MAIN) {
    if (placement.via === "streams" && !setup.can.streams) continue;
    const title = `${setup.name}: ${name} (${placement.via}, ${placement.side})`;
    test(title, { timeout: setup.timeout }, () => run(setup, placement, body, options));
  }
}

async function run(
  setup: Setup,
  placement: Placement,
  body: (it: Joined) => Promise<void>,
  options: JoinedOptions,
): Promise<void> {
  const { peer: farOptions = {}, local: localOptions, placements: _, drains, ...more } = options;
  const connected = await setup.open(farOptions);
  const { end, peer } = connected;
  const [here, there] = memoryPair();
  const local = new FarEnd(new PairWire(there), localOptions);
  const controller = new CountingController();
  const drain = new CountingController();
  const stats: Partial<Pick<JoinResult, "aToB" | "bToA">> = {};
  const closes = countCloses(end);
  if (placement.via === "streams" && "readable" in end) void [end.readable, end.writable];
  const other = forEnd(end, here);
  const [a, b] = placement.side === "a" ? [end, other] : [other, end];
  const joined = join(a, b, {
    ...more,
    stats,
    signal: controller.signal,
    drain: drains ? drain.signal : undefined,
    via: placement.via === "pipeTo" ? "pipeTo" : "auto",
  });
  let settled: "fulfilled" | "rejected" | undefined;
  joined.then(() => settled = "fulfilled", () => settled = "rejected");
  const counts = () => {
    const [aToB, bToA] = [{ ...stats.aToB! }, { ...stats.bToA! }];
    return placement.side === "a" ? { out: bToA, in: aToB } : { out: aToB, in: bToA };
  };
  try {
    await body({
      ...{ placement, peer, local, joined, controller, counts, closes },
      drain: () => drain.abort(),
    });
    assert(settled, "the test is over, the join is not");
    await peer.resume();
    await peerSees(peer, settled === "fulfilled" ? finishShows(setup) : failureShows(setup));
    assertEquals(drain.listeners, 0, "listeners on the drain");
    await nothingIsLeft(connected, controller, setup);
  } finally {
    controller.abort(new Error("The test is over"));
    await joined.catch(() => {});
    await local.dispose();
    await peer.dispose();
    await connected.dispose?.();
  }
}

/** What the end is joined to: bytes, or messages if it is of these. */
export function forEnd(end: End, pair: Pair): End {
  return "messages" in end ? untyped<End>({ ...pair, messages: true }) : pair;
}

/** As what the peer sees a join that has succeeded. */
export function finishShows({ can }: Setup): Ended["how"] {
  return can.halfCloseOut || !can.halfCloseIn ? "eof" : "open";
}

/** The same for one that has failed: not how, as the failure may be the peer's own. */
function failureShows({ can }: Setup): Ended["how"] | undefined {
  return can.abortShows === "open" ? "open" : undefined;
}

/** The peer sees the end go in this way, or anyhow; or stay, which is a gap of the platform's. */
export async function peerSees(peer: Far, how?: Ended["how"]): Promise<void> {
  const until = how === "open" ? { quiet: QUIET_MS } : { ended: true, timeout: SETTLE_MS };
  const { ended } = await peer.until(until);
  if (how !== undefined && how !== "open") assertEquals(ended.how, how, JSON.stringify(ended));
}

/** No lock, no listener, nothing else. */
async function nothingIsLeft(
  { end, leftovers }: Connected,
  controller: CountingController,
  { staysLocked = false }: Setup,
): Promise<void> {
  assertEquals(controller.listeners, 0, "listeners on the signal");
  if ("readable" in end && !("read" in end)) {
    const { readable, writable } = end;
    assertEquals([readable.locked, writable.locked], [false, staysLocked], "locked streams");
  }
  assertEquals(await leftovers?.() ?? [], [], "left behind");
}

/** Counts what closes the end, whatever it is. */
function countCloses(end: Connected["end"]): Joined["closes"] {
  let count: number | undefined;
  for (const name of ["close", "abort"] as const) {
    const original: unknown = Reflect.get(end, name);
    if (typeof original !== "function") continue;
    count ??= 0;
    let inside = false;
    Object.defineProperty(end, name, {
      configurable: true,
      value: (...args: unknown[]) => {
        // One of them may call the other.
        if (!inside) count!++;
        inside = true;
        try {
          return original.apply(end, args);
        } finally {
          inside = false;
        }
      },
    });
  }
  return () => count;
}

/** The bytes have come, and they are the right ones. */
export async function arrives(
  far: Far,
  parcels: readonly Parcel[],
  until: Until = {},
): Promise<FarStats> {
  const received = parcels.reduce((sum, { bytes }) => sum + bytes, 0);
  const stats = await far.until({ received, ...until });
  assertEquals(
    { received: stats.received, hash: stats.hash },
    { received, hash: hashOf(...parcels) },
    "what has come is not what was sent",
  );
  return stats;
}

/**
 * Lets `to` read what `from` could not go on sending, and a little more, which shows that it goes on again. Gives what
 * is to arrive: of the parcel what was begun, as one that no platform holds whole takes long.
 */
export async function resumeStalled(
  from: Far,
  to: Far,
  parcel: Parcel,
  sending: Promise<void>,
): Promise<Parcel[]> {
  await from.stopSending();
  await to.resume();
  await sending;
  const { sent } = await from.stats();
  const more = { bytes: 1024 * 1024, seed: 20 };
  await from.send(more);
  return [{ ...parcel, bytes: sent }, more];
}

/** Both sides end, and the join succeeds. */
export async function finishes({ peer, local, joined }: Joined): Promise<JoinResult> {
  const finished = [local.finish(), peer.finish()];
  const result = await joined;
  await Promise.all(finished);
  assertEquals(result.ended, "eof");
  return result;
}

/** The join fails, by the end that is tested. */
export async function failsByEnd({ joined, placement, local }: Joined): Promise<JoinError> {
  const error = await rejection(joined);
  assertInstanceOf(error, JoinError);
  assertEquals(error.end, placement.side, String(error));
  assertInstanceOf(error.cause, Error);
  await local.until({ ended: true });
  return error;
}

/** The end was closed, or aborted, one time. */
export function closedOnce({ closes, placement }: Joined): void {
  // The two streams of an adapter's end may each abort it.
  if (placement.via !== "streams") assertEquals(closes() ?? 1, 1, "closed so many times");
}
