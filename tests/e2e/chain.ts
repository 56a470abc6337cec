/**
 * Chains of joins from one far end to another, and what every chain must do.
 *
 * @module
 */
import { type End, join, type JoinOptions, type JoinResult, memoryPair } from "@webstreams/join";
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { type Runtime, test } from "../harness.ts";
import { hashOf, type Parcel } from "../support/parcels.ts";
import { type Far, FarEnd, type FarOptions, type FarStats } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";
import type { RemoteProgram } from "./remote_program.ts";

export const MIB = 1024 * 1024;
/** What the kernel holds of one direction of a TCP connection at most: `tcp_rmem`, `tcp_wmem` of Linux, and some. */
export const TCP_BYTES = 40 * MIB;
/** A `halfCloseTimeout`, in ms: a page on a busy machine may be silent for 100 ms. */
export const SILENT_MS = 1000;
const QUIET_MS = 500;

/** A chain that is there. */
export interface Chain {
  /** Its two sides: what one sends, the other gets. */
  readonly near: Far;
  readonly far: Far;
  /** The join that is the nearest one to `near`. */
  readonly joined: Promise<JoinResult>;
  /** The program in the middle, if there is one. */
  readonly program?: RemoteProgram;
  /** Lets go of all of it. */
  dispose(): Promise<void>;
}

/** What a chain is, and can. */
export interface ChainKind {
  readonly name: string;
  readonly on: readonly Runtime[];
  /** Makes one; the options are those of both sides. */
  open(options: FarOptions): Promise<Chain>;
  /** From `near` to `far`, and back. */
  readonly there: Load;
  readonly back: Load;
  /**
   * Milliseconds without anything taken after which nothing more will be.
   *
   * @default {500}
   */
  readonly quiet?: number;
}

/** What is sent to a reader that stalls. */
export interface Load {
  readonly bytes: number;
  /** Of them, how many are taken at most, where the reader is felt. */
  readonly bound?: number;
}

/** Registers a test of the chain. */
export function testChain(
  { name, on, open }: ChainKind,
  does: string,
  options: FarOptions,
  body: (chain: Chain) => Promise<void>,
): void {
  test(`e2e: ${name}: ${does}`, { on }, async () => {
    const chain = await open(options);
    // It is looked at late, if at all.
    chain.joined.catch(() => {});
    try {
      await body(chain);
    } finally {
      await chain.dispose();
    }
  });
}

/** All passes, both ways at once, to readers that stall first. */
export function stalls(kind: ChainKind): void {
  testChain(
    kind,
    "passes all both ways, to readers that stall",
    { paused: true },
    async (chain) => {
      const { near, far } = chain;
      const there = { bytes: kind.there.bytes, seed: 1 };
      const back = { bytes: kind.back.bytes, seed: 2 };
      const sending = [near.send(there), far.send(back)];
      const quiet = { sent: 1, quiet: kind.quiet ?? QUIET_MS };
      const taken = await Promise.all([near.until(quiet), far.until(quiet)]);
      assertLessOrEqual(taken[0].sent, kind.there.bound ?? Infinity);
      assertLessOrEqual(taken[1].sent, kind.back.bound ?? Infinity);
      await Promise.all([near.resume(), far.resume(), ...sending]);
      await Promise.all([arrives(far, there), arrives(near, back)]);
      await bothEnd(chain, there, back);
    },
  );
}

/** Each side's end is handed on alone, after all that was sent. */
export function halfCloses(kind: ChainKind): void {
  for (const first of ["near", "far"] as const) {
    testChain(kind, `hands on the half-close of the ${first} side`, {}, async (chain) => {
      const { near, far } = chain;
      const [asking, answering] = first === "near" ? [near, far] : [far, near];
      const [question, answer] = [{ bytes: 2 * MIB + 1, seed: 3 }, { bytes: 3 * MIB + 1, seed: 4 }];
      await asking.send(question);
      await asking.finish();
      await ends(answering, question);
      await answering.send(answer);
      assertEquals((await arrives(asking, answer)).ended.how, "open");
      await answering.finish();
      await ends(asking, answer);
      if (first === "near") await counts(chain, question, answer);
      else await counts(chain, answer, question);
    });
  }
}

/** A WebSocket closes whole. */
export function closesWhole(kind: ChainKind): void {
  const [question, answer] = [{ bytes: 2 * MIB + 1, seed: 3 }, { bytes: 3 * MIB + 1, seed: 4 }];
  testChain(kind, "closes whole, after all that the near side has sent", {}, async (chain) => {
    const { near, far } = chain;
    await far.send(answer);
    await arrives(near, answer);
    await Promise.all([near.send(question), near.finish()]);
    await Promise.all([ends(far, question), ends(near, answer)]);
    // Until then what it sends is dropped.
    await far.finish();
    await counts(chain, question, answer, "timeout");
  });
  testChain(kind, "goes on one way once the far side has ended", {}, async (chain) => {
    const { near, far } = chain;
    await far.send(answer);
    await far.finish();
    // Nothing tells the near side.
    assertEquals((await arrives(near, answer)).ended.how, "open");
    await near.send(question);
    await near.finish();
    await ends(far, question);
    await counts(chain, question, answer, "timeout");
  });
}

/** The chain ends well. */
async function bothEnd(chain: Chain, there: Parcel, back: Parcel): Promise<void> {
  await Promise.all([chain.near.finish(), chain.far.finish()]);
  await Promise.all([ends(chain.far, there), ends(chain.near, back)]);
  await counts(chain, there, back);
}

/** What the join and the program say of it. */
async function counts(
  { joined, program }: Chain,
  there: Parcel,
  back: Parcel,
  ended?: JoinResult["ended"],
): Promise<void> {
  const result = await joined;
  assertEquals([result.aToB.bytes, result.bToA.bytes], [there.bytes, back.bytes]);
  if (ended) assertEquals(result.ended, ended);
  if (program) {
    assertEquals(await program.line(), `${there.bytes} bytes there, ${back.bytes} back`);
  }
}

/** All of it comes, and it is the right one. */
export async function arrives(far: Far, ...parcels: readonly Parcel[]): Promise<FarStats> {
  return hasGot(parcels, await far.until({ received: size(parcels) }));
}

/** Nothing else does, and then the end of file. */
export async function ends(far: Far, ...parcels: readonly Parcel[]): Promise<void> {
  assertEquals(hasGot(parcels, await far.until({ ended: true })).ended.how, "eof");
}

function hasGot(parcels: readonly Parcel[], stats: FarStats): FarStats {
  assertEquals([stats.received, stats.hash], [size(parcels), hashOf(...parcels)]);
  return stats;
}

function size(parcels: readonly Parcel[]): number {
  return parcels.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The near side of a chain in this process, joined to the chain's first end. */
export function joinedHere(
  end: End,
  farOptions: FarOptions,
  options?: JoinOptions,
): { readonly near: FarEnd; readonly joined: Promise<JoinResult>; dispose(): Promise<void> } {
  const [here, there] = memoryPair();
  const near = new FarEnd(new PairWire(there), farOptions);
  const controller = new AbortController();
  const joined = join(here, end, { ...options, signal: controller.signal });
  const dispose = async () => {
    controller.abort(new Error("The test is over"));
    await joined.catch(() => {});
    await near.dispose();
  };
  return { near, joined, dispose };
}
