// A worker of a forwarder: forwards in a thread of its own, directed by messages; `workers_forwarder.ts`
// alone starts it.

import type { ForwardEvent } from "./events.ts";
import type { Forwarder, ForwardStats } from "./forwarder.ts";
import type { ForwardOptions } from "./options.ts";
import { readOptions } from "./settings.ts";
import { forwardInThread } from "./thread_forwarder.ts";

/** A message to a worker. The first is `start`. */
export type ToWorker =
  | {
    readonly kind: "start";
    readonly options: ForwardOptions;
    /** Whether the worker is to send its events. */
    readonly sendsEvents: boolean;
    /** What all workers share, see `OwnConnections`. */
    readonly memory: SharedArrayBuffer;
  }
  | { readonly kind: "shutdown"; readonly grace: number };

/** A message from a worker. The first is `listening` or `failed`, the last `finished` or `failed`. */
export type FromWorker =
  | { readonly kind: "listening"; readonly address: string }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "event"; readonly event: ForwardEvent }
  | { readonly kind: "stats" | "finished"; readonly stats: ForwardStats };

/** How often the counts are sent if they have changed, in ms. */
const STATS_INTERVAL = 200;

/** The global object of a worker. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

const scope: WorkerScope = globalThis as typeof globalThis & WorkerScope;
let forwarder: Forwarder | undefined;

scope.onmessage = ({ data }) => {
  if (data.kind === "start") void start(data);
  // Its promise cannot reject, as the sender has checked the grace.
  else void forwarder?.shutdown(data.grace);
};

async function start(
  { options, sendsEvents, memory }: Extract<ToWorker, { kind: "start" }>,
): Promise<void> {
  const onEvent = sendsEvents
    ? (event: ForwardEvent) => scope.postMessage({ kind: "event", event })
    : undefined;
  try {
    forwarder = await forwardInThread(readOptions({ ...options, onEvent }), memory);
  } catch (error) {
    return scope.postMessage({ kind: "failed", error });
  }
  scope.postMessage({ kind: "listening", address: forwarder.address });
  const timer = sendStats(forwarder);
  await forwarder.finished;
  clearInterval(timer);
  scope.postMessage({ kind: "finished", stats: forwarder.stats() });
}

function sendStats(forwarder: Forwarder): ReturnType<typeof setInterval> {
  let lastSent = "";
  return setInterval(() => {
    const stats = forwarder.stats();
    const text = Object.values(stats).join();
    if (text !== lastSent) scope.postMessage({ kind: "stats", stats });
    lastSent = text;
  }, STATS_INTERVAL);
}
