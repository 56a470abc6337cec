/**
 * Plays schedules.
 *
 * @module
 */
import { BufferPool, join, type JoinStats } from "@webstreams/join";
import { assertEquals } from "@std/assert";
import { readdirSync, readlinkSync } from "node:fs";
import process from "node:process";
import { delay } from "../support/async.ts";
import { platform } from "../support/environment.ts";
import { CountingController } from "../support/signal.ts";
import { watchTimers } from "../support/timers.ts";
import { watchUnhandled } from "../support/unhandled.ts";
import type { Peers, PeersOfRun } from "./client.ts";
import { type JoinOutcome, judge } from "./judge.ts";
import type { Schedule } from "./schedule.ts";
import { opening } from "./sockets.ts";

/** From when all has been begun. Of a join's own bounds the sum is 8 s. */
const SETTLE_MS = 25_000;
const CLOSE_MS = 10_000;

/**
 * Plays some at once, and checks what must hold of each, and that nothing is left of any; gives a word for
 * how each of them went.
 */
export async function play(schedules: readonly Schedule[], peers: Peers): Promise<string[]> {
  const before = sockets();
  const timers = watchTimers();
  const unhandled = watchUnhandled();
  try {
    const runs = schedules.map((schedule) => peers.run(schedule));
    const played = await Promise.all(runs.map(playOne));
    const broken = played.flatMap((one) => one.broken);
    if (timers.pending.size > 0) broken.push(`${timers.pending.size} timers are left`);
    const facts = await Promise.all(runs.map((run) => run.close()));
    played.forEach(({ outcome }, at) => {
      const rules = judge(schedules[at], outcome, facts[at]);
      broken.push(...rules.map((rule) => `${rule}, ${JSON.stringify(facts[at])}`));
    });
    for (let ms = 0; sockets() > before && ms < CLOSE_MS; ms += 5) await delay(5);
    if (sockets() > before) broken.push(`${sockets() - before} sockets are left open`);
    await delay(0);
    broken.push(...unhandled.reasons.map((reason) => `unhandled: ${reason}`));
    assertEquals(broken, []);
    return played.map(({ outcome }) => wordOf(outcome));
  } finally {
    timers.restore();
    unhandled.restore();
  }
}

interface Played {
  readonly outcome: JoinOutcome;
  readonly broken: string[];
}

async function playOne(run: PeersOfRun): Promise<Played> {
  const { via, halfClose, halfCloseTimeout, ...schedule } = run.schedule;
  const [a, b] = await Promise.all([opening(schedule.a), opening(schedule.b)]);
  const ports = await run.open({ a: a.port, b: b.port });
  const opened = Promise.all([a.open(ports.a), b.open(ports.b)]);
  const [endA, endB] = await Promise.race([opened, run.gone]);

  const [abort, drain] = [new CountingController(), new CountingController()];
  const pool = new BufferPool();
  const stats: JoinStats = {};
  const reason = new Error("aborted by the schedule");
  const told = { abort: false, drain: false };
  let settled = false;
  run.onSignal = (which) => {
    told[which] ||= !settled;
    if (which === "abort") abort.abort(reason);
    else drain.abort();
  };
  const limits = { halfClose, halfCloseTimeout, signal: abort.signal, drain: drain.signal };
  const joined: Promise<Pick<JoinOutcome, "result" | "error">> = join(endA, endB, {
    ...limits,
    ...{ via, pool, stats },
  }).then((result) => ({ result }), (error) => ({ error })).finally(() => settled = true);
  await run.play();
  const ending = await within(SETTLE_MS, joined);
  const broken: string[] = [];
  if (!ending) {
    broken.push("the join does not settle");
    abort.abort(reason);
    await within(CLOSE_MS, joined);
  }
  if (pool.lent > 0) broken.push(`${pool.lent} bytes are still lent`);
  const listeners = abort.listeners + drain.listeners;
  if (listeners > 0) broken.push(`the signals have ${listeners} listeners`);
  const passed = { a: stats.aToB!.bytes, b: stats.bToA!.bytes };
  const outcome = { ...ending, aborted: told.abort, drained: told.drain, reason, passed };
  return { outcome, broken };
}

/** For who looks at many runs. */
function wordOf({ result, error, reason }: JoinOutcome): string {
  if (result) return result.reason;
  if (error === reason) return "aborted";
  const { reason: word, side } = error as { reason: string; side: string };
  return `${word} (${side})`;
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(resolve, ms, undefined));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Descriptors of sockets, where they can be counted. */
function sockets(): number {
  // Node 20 still forgets one at times that is reset right after its shutdown, open as it is.
  if (process.platform !== "linux" || platform === "node20" || platform === "node22") return 0;
  const folder = "/proc/self/fd";
  let count = 0;
  for (const name of readdirSync(folder)) {
    try {
      if (readlinkSync(`${folder}/${name}`).startsWith("socket:")) count++;
    } catch {
      // It has been closed meanwhile.
    }
  }
  return count;
}
