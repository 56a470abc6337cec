/**
 * One of a team's workers: a forwarder of its own, told what to do and telling what happens.
 *
 * @module
 */
import { forwardAlone } from "./thread_forwarder.ts";
import type { ForwardEvent } from "./events.ts";
import type { Forwarder, ForwardStats } from "./forwarder.ts";
import { checkOptions, type ForwardOptions } from "./options.ts";

/** What a worker is told. */
export type ToWorker =
  | {
    readonly kind: "start";
    readonly options: ForwardOptions;
    readonly tells: boolean;
    readonly memory: SharedArrayBuffer;
  }
  | { readonly kind: "shutdown"; readonly grace: number };

/** What a worker tells. */
export type FromWorker =
  | { readonly kind: "listening"; readonly address: string }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "event"; readonly event: ForwardEvent }
  | { readonly kind: "stats" | "finished"; readonly stats: ForwardStats };

const STATS_INTERVAL = 200;

interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

const scope: Scope = globalThis as typeof globalThis & Scope;
let forwarder: Forwarder | undefined;

scope.onmessage = ({ data }) => {
  if (data.kind === "start") void start(data);
  // A bad grace never comes so far.
  else void forwarder?.shutdown(data.grace);
};

async function start(
  { options, tells, memory }: Extract<ToWorker, { kind: "start" }>,
): Promise<void> {
  const onEvent = (event: ForwardEvent) => scope.postMessage({ kind: "event", event });
  try {
    forwarder = await forwardAlone(checkOptions(tells ? { ...options, onEvent } : options), memory);
  } catch (error) {
    return scope.postMessage({ kind: "failed", error });
  }
  scope.postMessage({ kind: "listening", address: forwarder.address });
  const timer = tellStats(forwarder);
  await forwarder.finished;
  clearInterval(timer);
  scope.postMessage({ kind: "finished", stats: forwarder.stats() });
}

function tellStats(forwarder: Forwarder): ReturnType<typeof setInterval> {
  let told = "";
  return setInterval(() => {
    const stats = forwarder.stats();
    const news = Object.values(stats).join();
    if (news !== told) scope.postMessage({ kind: "stats", stats });
    told = news;
  }, STATS_INTERVAL);
}
