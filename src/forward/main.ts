/**
 * The port forwarder: {@linkcode forward} for programs, and a program itself.
 *
 * ```sh
 * deno run --allow-net jsr:@webstreams/join/forward tcp://127.0.0.1:8080 tcp://127.0.0.1:80
 * ```
 *
 * It needs Deno's `--allow-net`, and for Unix sockets `--allow-read` and `--allow-write`.
 *
 * @module
 */

import { type Command, parseCommand } from "./flags.ts";
import { messageOf } from "./failure.ts";
import { forward } from "./forward.ts";
import type { Forwarder } from "./forwarder.ts";
import { helpText } from "./help.ts";
import { describe, logTo } from "./log.ts";
import { showStatus } from "./status.ts";
import { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

export { forward } from "./forward.ts";
export type { Forwarder, ForwardStats } from "./forwarder.ts";
export type { ForwardOptions } from "./options.ts";
export type {
  CloseEvent,
  CloseReason,
  ConnectionEvent,
  ErrorEvent,
  ForwardEvent,
  ListenEvent,
  OpenEvent,
  ShutdownEvent,
} from "./events.ts";

const SUCCESS = 0;
const CANNOT_LISTEN = 1;
const USAGE = 2;

/** How long a second signal waits for the connections it has cut to be reported. */
const LAST_WORDS = 500;

/** How long the end waits for a slow reader of the log. */
const LAST_FLUSH = 1000;

async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let command: Command;
  try {
    command = parseCommand(args);
  } catch (error) {
    return fail(error, terminal);
  }
  switch (command.kind) {
    case "help":
      terminal.out(helpText());
      return SUCCESS;
    case "version":
      terminal.out(`${VERSION}\n`);
      return SUCCESS;
    case "forward":
      return await serve(command, terminal);
  }
}

async function serve(
  { options, log, isDefault }: Extract<Command, { kind: "forward" }>,
  terminal: Terminal,
): Promise<number> {
  const asked = new AbortController();
  let forwarder: Forwarder | undefined;
  // Before it says that it listens, as whoever waits for that may send a signal at once.
  watchSignals((count) => {
    if (count === 1) return asked.abort();
    void forwarder?.shutdown(0);
    setTimeout(() => Deno.exit(SUCCESS), count === 2 ? LAST_WORDS : 0);
  });
  const onEvent = logTo(log, terminal);
  try {
    forwarder = await forward({ ...options, signal: asked.signal, onEvent });
  } catch (error) {
    return fail(error, terminal);
  }
  const { address, target, finished } = forwarder;
  if (log === "none") terminal.err(`${describe({ event: "listen", address, target })}\n`);
  if (isDefault) terminal.err(`Try it: nc ${new URL(address).host.replace(":", " ")}\n`);
  const hideStatus = showStatus(forwarder, terminal);
  await finished;
  hideStatus();
  return SUCCESS;
}

/** One line; what was asked for cannot be done (2), or only not now (1). */
function fail(error: unknown, terminal: Terminal): number {
  terminal.err(`${messageOf(error)}\n`);
  return error instanceof TypeError || error instanceof RangeError ? USAGE : CANNOT_LISTEN;
}

/** Calls back with the number of each signal. */
function watchSignals(onCount: (count: number) => void): void {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    // What nohup wants ignored ends Deno all the same (2.9).
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  let count = 0;
  for (const signal of signals) Deno.addSignalListener(signal, () => onCount(++count));
}

if (import.meta.main) {
  if (typeof Deno === "undefined") {
    throw new Error("Cannot forward as this runtime is not Deno: there is no Deno.listen");
  }
  const terminal = new Terminal(Deno.stdout, Deno.stderr);
  const code = await main(Deno.args, terminal);
  await terminal.flush(LAST_FLUSH);
  Deno.exit(code);
}
