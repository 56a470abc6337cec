/**
 * A far end in a thread of its own, over an end of a message port; the other port commands it.
 *
 * @module
 */
import { fromMessagePort } from "@webstreams/join/message_port";
import { type Far, FarEnd, type FarOptions } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";

/** What the thread is started with. */
export interface Start {
  readonly port: MessagePort;
  readonly commands: MessagePort;
  readonly options: FarOptions;
}

/** A verb of the far end's, or how it is to be lost. */
export interface Command {
  readonly id: number;
  readonly verb: keyof Far | "closePort" | "throw" | "exit";
  readonly args: readonly unknown[];
}

/** What came of a command. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

function start({ port, commands, options }: Start): void {
  const far = new FarEnd(new PairWire(fromMessagePort(port)), options);
  commands.onmessage = async ({ data }: MessageEvent<Command>) => {
    const { id, verb, args } = data;
    if (verb === "closePort") return port.close();
    if (verb === "exit") return scope.close ? scope.close() : scope.process!.exit();
    if (verb === "throw") {
      setTimeout(() => {
        throw new Error("As it was told to");
      });
      return;
    }
    try {
      const value = await Reflect.apply(far[verb], far, args);
      commands.postMessage({ id, value });
    } catch (error) {
      commands.postMessage({ id, error: String(error) });
    }
  };
  commands.postMessage({ id: 0 });
}

const scope = globalThis as {
  process?: typeof import("node:process");
  onmessage?: ((event: MessageEvent<Start>) => void) | null;
  close?(): void;
};

if ("onmessage" in scope) {
  scope.onmessage = ({ data }) => start(data);
} else {
  // Node's have no global scope of their own.
  const { parentPort } = await import("node:worker_threads");
  parentPort!.once("message", start);
}
