/**
 * Reads all that comes, by a message port's end or from a transferred stream, and tells how much that was.
 *
 * @module
 */
import { pipe } from "@webstreams/join";
import { fromMessagePort } from "@webstreams/join/message_port";

/** What the thread is sent: one of the two to read, and where to tell. */
export interface Task {
  readonly port?: MessagePort;
  readonly stream?: ReadableStream<Uint8Array>;
  readonly told: MessagePort;
}

const scope = globalThis as { onmessage?: ((event: MessageEvent<Task>) => void) | null };
if ("onmessage" in scope) {
  scope.onmessage = ({ data }) => void take(data);
} else {
  // Node's have no global scope of their own.
  const { parentPort } = await import("node:worker_threads");
  parentPort!.on("message", take);
}

async function take({ port, stream, told }: Task): Promise<void> {
  let bytes = 0;
  const sink = new WritableStream<Uint8Array>({ write: (chunk) => void (bytes += chunk.length) });
  if (stream) await stream.pipeTo(sink);
  else {
    const end = fromMessagePort(port!);
    await pipe(end.readable, sink);
    await end.writable.close();
  }
  told.postMessage(bytes);
  told.close();
}
