/**
 * What a join costs, and what it leaves: prints lines of JSON, on Deno, Bun and Node.
 *
 *     program.js slope JOINS   CPU a join, over the second half
 *     program.js leaks JOINS   heap, handles and listeners before and after
 *
 * @module
 */
import { readdirSync } from "node:fs";
import process from "node:process";
import { type Once, ways } from "./joins.ts";

/** What `slope` prints of a way. */
export interface Slope {
  readonly way: string;
  /** CPU µs a join. */
  readonly micros: number;
}

/** What `leaks` prints. */
export interface Standing {
  readonly heapMib: number;
  readonly rssMib: number;
  /** `null` where the runtime does not tell. */
  readonly resources: number | null;
  readonly descriptors: number | null;
  /** On the signal that all joins share. */
  readonly listeners: number;
}

const [mode, amount] = process.argv.slice(2);
const joins = Number(amount);
if (mode === "slope") await slope();
else await leaks();
process.exit();

async function slope(): Promise<void> {
  for (const [way, once] of Object.entries(ways)) {
    await repeat(once, joins / 2);
    const before = process.cpuUsage();
    await repeat(once, joins / 2);
    const { user, system } = process.cpuUsage(before);
    print({ way, micros: (user + system) / (joins / 2) } satisfies Slope);
  }
}

async function leaks(): Promise<void> {
  const { signal, listeners } = countedSignal();
  const once = () => ways["join, memoryPair"]!({ signal, idleTimeout: 60_000 });
  // What the runtime makes once.
  await repeat(once, Math.min(joins, 20_000));
  await standing(listeners);
  print(await standing(listeners));
  await repeat(once, joins);
  print(await standing(listeners));
}

async function repeat(once: Once, times: number): Promise<void> {
  for (let time = 0; time < times; time++) await once();
}

async function standing(listeners: () => number): Promise<Standing> {
  // What a close leaves to a later turn, and a second look at what finalizers have freed.
  for (let time = 0; time < 3; time++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    collect();
  }
  const { heapUsed, rss } = process.memoryUsage();
  return {
    heapMib: heapUsed / 1024 ** 2,
    rssMib: rss / 1024 ** 2,
    resources: process.getActiveResourcesInfo?.().length ?? null,
    descriptors: descriptors(),
    listeners: listeners(),
  };
}

function descriptors(): number | null {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return null;
  }
}

function collect(): void {
  const scope = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  if (scope.Bun) scope.Bun.gc(true);
  else scope.gc!();
}

/** No platform tells how many listeners a signal has: it counts them itself. */
function countedSignal(): { signal: AbortSignal; listeners: () => number } {
  const { signal } = new AbortController();
  let count = 0;
  let heard = false;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = function (...args: Parameters<typeof addEventListener>) {
    count++;
    heard = true;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = function (...args: Parameters<typeof removeEventListener>) {
    count--;
    removeEventListener.apply(signal, args);
  };
  const listeners = () => {
    if (!heard) throw new Error("No join has listened to the signal");
    return count;
  };
  return { signal, listeners };
}

function print(line: Slope | Standing): void {
  console.log(JSON.stringify(line));
}
