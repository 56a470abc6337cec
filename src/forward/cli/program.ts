// The program `deno task forward`, from its arguments to its exit code; for `main.ts` alone.

import { forward } from "../forward.ts";
import type { Forwarder } from "../forwarder.ts";
import { plainMessage } from "../plain_message.ts";
import { type Command, parseCommand } from "./command.ts";
import { helpText } from "./help.ts";
import { describeEvent, eventLogger } from "./log.ts";
import { showStatus } from "./status.ts";
import { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

const SUCCESS = 0;
const CANNOT_LISTEN = 1;
const USAGE = 2;

/** After a second signal, how long the connections that it has cut may take to be logged, in ms. */
const CUT_REPORT_TIMEOUT = 500;

/** How long the exit waits for a slow reader of the log, in ms. */
const FLUSH_TIMEOUT = 1000;

/** Does what the command line asks for, then ends the process. */
export async function runProgram(args: readonly string[]): Promise<never> {
  const terminal = new Terminal(Deno.stdout, Deno.stderr);
  const code = await runCommand(args, terminal);
  await terminal.flush(FLUSH_TIMEOUT);
  Deno.exit(code);
}

/** Returns the exit code. */
async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
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
      return await forwardUntilSignal(command, terminal);
  }
}

async function forwardUntilSignal(
  { options, log, isDefault }: Extract<Command, { kind: "forward" }>,
  terminal: Terminal,
): Promise<number> {
  const shutdown = new AbortController();
  let forwarder: Forwarder | undefined;
  // Before the address is logged: whoever waits for that line may send a signal at once.
  onSignal((count) => {
    if (count === 1) return shutdown.abort();
    void forwarder?.shutdown(0);
    setTimeout(() => Deno.exit(SUCCESS), count === 2 ? CUT_REPORT_TIMEOUT : 0);
  });
  const onEvent = eventLogger(log, terminal);
  try {
    forwarder = await forward({ ...options, signal: shutdown.signal, onEvent });
  } catch (error) {
    return fail(error, terminal);
  }
  const { address, target, finished } = forwarder;
  if (log === "none") terminal.err(`${describeEvent({ event: "listen", address, target })}\n`);
  if (isDefault) terminal.err(`Try it: nc ${new URL(address).host.replace(":", " ")}\n`);
  const hideStatus = showStatus(forwarder, terminal);
  await finished;
  hideStatus();
  return SUCCESS;
}

/** Writes the error as a line. Returns 2 for bad input, 1 for what may work at another time. */
function fail(error: unknown, terminal: Terminal): number {
  terminal.err(`${plainMessage(error)}\n`);
  return error instanceof TypeError || error instanceof RangeError ? USAGE : CANNOT_LISTEN;
}

/** Calls back at each signal that asks the program to end, with the number of signals so far. */
function onSignal(onCount: (count: number) => void): void {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    // Without a listener SIGHUP would end Deno, even under nohup (2.9).
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  let count = 0;
  for (const signal of signals) Deno.addSignalListener(signal, () => onCount(++count));
}
