/**
 * Moves bytes to a worker, in turn by a message port's end and by a transferred stream: prints a line of JSON
 * for each, on Deno, Bun and Node.
 *
 *     program.js BYTES CHUNK
 *
 * @module
 */
import process from "node:process";
import { pipe } from "@webstreams/join";
import { fromMessagePort } from "@webstreams/join/message_port";
import type { Task } from "./worker.ts";

/** What is printed of a way. */
export interface Moved {
  readonly way: string;
  /** `undefined` if it cannot be done here. */
  readonly gbPerSecond?: number;
}

interface Thread {
  postMessage(task: Task, transfer: Transferable[]): void;
}

const ways = {
  async "join, message ports"(thread: Thread, told: MessagePort, source: ReadableStream<Chunk>) {
    const { port1, port2 } = new MessageChannel();
    thread.postMessage({ port: port2, told }, [port2, told]);
    const end = fromMessagePort(port1);
    await pipe(source, end.writable);
    await pipe(end.readable, new WritableStream());
  },
  "transferred stream"(thread: Thread, told: MessagePort, stream: ReadableStream<Chunk>) {
    thread.postMessage({ stream, told }, [stream, told]);
  },
};
type Chunk = Uint8Array<ArrayBuffer>;

const [bytes, size] = process.argv.slice(2).map(Number) as [number, number];
const worker = await start();
for (const [way, move] of Object.entries(ways)) {
  try {
    // What the runtime compiles once.
    await measure(move, bytes / 10);
    print({ way, gbPerSecond: await measure(move, bytes) });
  } catch {
    print({ way });
  }
}
process.exit();

async function start(): Promise<Thread> {
  const script = new URL("./threads_worker.js", import.meta.url);
  if ("Worker" in globalThis) return new Worker(script, { type: "module" });
  const { Worker: NodeWorker } = await import("node:worker_threads");
  const worker = new NodeWorker(script);
  type Transfer = Parameters<typeof worker.postMessage>[1];
  return { postMessage: (task, list) => worker.postMessage(task, list as Transfer) };
}

async function measure(move: typeof ways[keyof typeof ways], total: number): Promise<number> {
  const { port1, port2 } = new MessageChannel();
  const told = new Promise<number>((resolve) => port1.onmessage = ({ data }) => resolve(data));
  const start = performance.now();
  await move(worker, port2, sourceOf(total));
  const came = await told;
  const seconds = (performance.now() - start) / 1000;
  port1.close();
  if (came < total) throw new Error(`Of ${total} bytes ${came} have come`);
  return came / seconds / 1e9;
}

/** The same chunk again and again: either way has to copy it. */
function sourceOf(total: number): ReadableStream<Chunk> {
  const chunk = new Uint8Array(size);
  let left = total;
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close();
      left -= size;
      controller.enqueue(chunk);
    },
  });
}

function print(moved: Moved): void {
  console.log(JSON.stringify(moved));
}
