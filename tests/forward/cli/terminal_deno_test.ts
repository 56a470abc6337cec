import { assertEquals } from "@std/assert";
import { describe } from "../../../src/forward/cli/log.ts";
import { describeStatus } from "../../../src/forward/cli/status.ts";
import { Terminal } from "../../../src/forward/cli/terminal.ts";
import { test } from "../../harness.ts";

const CLEAR = "\r\x1b[K";

/** Stdout and stderr that write into one text, as a terminal does. */
function terminalOf(isTerminal: boolean, most = Infinity): { terminal: Terminal; text(): string } {
  let text = "";
  const output = {
    isTerminal: () => isTerminal,
    write: async (bytes: Uint8Array) => {
      await Promise.resolve();
      const count = Math.min(bytes.length, most);
      text += new TextDecoder().decode(bytes.subarray(0, count));
      return count;
    },
  };
  return { terminal: new Terminal(output, { ...output }), text: () => text };
}

test("on a terminal a line replaces the live line, which comes back below it", async () => {
  const { terminal, text } = terminalOf(true);
  const flush = () => terminal.flush(1000);
  terminal.err("before\n");
  await flush();
  terminal.live("1 open");
  terminal.err("log\n");
  terminal.out("json\n");
  await flush();
  terminal.live("2 open");
  terminal.live("2 open");
  terminal.live("");
  terminal.err("after\n");
  await flush();
  assertEquals(
    text(),
    "before\n" + `${CLEAR}1 open` + `${CLEAR}log\n1 open` + `${CLEAR}json\n1 open` +
      `${CLEAR}2 open` + CLEAR + "after\n",
  );
});

test("a busy terminal gets no live line, but its removal", async () => {
  const { terminal, text } = terminalOf(true);
  terminal.live("1 open");
  terminal.live("2 open");
  terminal.live("");
  await terminal.flush(1000);
  assertEquals(text(), `${CLEAR}1 open${CLEAR}`);
});

test("elsewhere there is no live line", async () => {
  const { terminal, text } = terminalOf(false);
  terminal.live("1 open");
  terminal.err("log\n");
  terminal.live("");
  await terminal.flush(1000);
  assertEquals(text(), "log\n");
});

test("a write that takes a part is continued", async () => {
  const { terminal, text } = terminalOf(false, 3);
  terminal.out("a longer line\n");
  terminal.out("and another\n");
  await terminal.flush(1000);
  assertEquals(text(), "a longer line\nand another\n");
});

test("where each reads on its own, one that is stuck stops nothing else", async () => {
  const { promise: stuck, resolve } = Promise.withResolvers<number>();
  let text = "";
  const stdout = { isTerminal: () => false, write: () => stuck };
  const stderr = {
    isTerminal: () => true,
    write: (bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  const terminal = new Terminal(stdout, stderr);
  terminal.out("json\n");
  terminal.live("1 open");
  const flushed = terminal.flush(10);
  assertEquals(text, `${CLEAR}1 open`);
  await flushed;
  resolve(5);
  await terminal.flush(1000);
});

test("events are one line each", () => {
  const close = {
    event: "close" as const,
    id: 7,
    from: "tcp://127.0.0.1:50000",
    to: "echo:",
    aToB: 12,
    bToA: 2048,
    ms: 1234,
  };
  assertEquals(
    [
      describe({ event: "listen", address: "tcp://127.0.0.1:80", target: "echo:" }),
      describe({ event: "open", id: 7, from: close.from, to: close.to }),
      describe({ ...close, reason: "eof" }),
      describe({ ...close, reason: "error", error: "Broken pipe" }),
      describe({ event: "error", error: "Cannot accept for now: Too many open files" }),
      describe({ event: "shutdown", open: 0, grace: 10_000 }),
      describe({ event: "shutdown", open: 2, grace: 10_000 }),
      describe({ event: "shutdown", open: 1, grace: Infinity }),
    ],
    [
      "Listening on tcp://127.0.0.1:80, forwarding to echo:",
      "#7 tcp://127.0.0.1:50000 > echo: open",
      "#7 tcp://127.0.0.1:50000 > echo: eof after 1.2 s, 12 B there, 2.0 KiB back",
      "#7 tcp://127.0.0.1:50000 > echo: error after 1.2 s, 12 B there, 2.0 KiB back: Broken pipe",
      "Cannot accept for now: Too many open files",
      "Shutting down",
      "Shutting down: 2 open, cut after 10.0 s",
      "Shutting down: 1 open",
    ],
  );
});

test("the live line has the open joins, the totals and the rates", () => {
  const last = { open: 1, accepted: 1, aToB: 1024, bToA: 0 };
  const stats = { open: 3, accepted: 4, aToB: 5120, bToA: 3 * 2 ** 20 };
  assertEquals(
    describeStatus(stats, last, 0.5),
    "3 open | there 5.0 KiB 8.0 KiB/s | back 3.0 MiB 6.0 MiB/s",
  );
});
