import { assertEquals } from "@std/assert";
import { Terminal } from "../../../src/forward/cli/terminal.ts";
import { test } from "../../harness.ts";

const ERASE = "\r\x1b[K";

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
  terminal.setLiveLine("1 open");
  terminal.err("log\n");
  terminal.out("json\n");
  await flush();
  terminal.setLiveLine("2 open");
  terminal.setLiveLine("2 open");
  terminal.setLiveLine("");
  terminal.err("after\n");
  await flush();
  assertEquals(
    text(),
    "before\n" + `${ERASE}1 open` + `${ERASE}log\n1 open` + `${ERASE}json\n1 open` +
      `${ERASE}2 open` + ERASE + "after\n",
  );
});

test("a busy terminal gets no live line, but its removal", async () => {
  const { terminal, text } = terminalOf(true);
  terminal.setLiveLine("1 open");
  terminal.setLiveLine("2 open");
  terminal.setLiveLine("");
  await terminal.flush(1000);
  assertEquals(text(), `${ERASE}1 open${ERASE}`);
});

test("without a terminal there is no live line", async () => {
  const { terminal, text } = terminalOf(false);
  terminal.setLiveLine("1 open");
  terminal.err("log\n");
  terminal.setLiveLine("");
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

test("a stuck reader of stdout does not stop stderr", async () => {
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
  terminal.setLiveLine("1 open");
  const flushed = terminal.flush(10);
  assertEquals(text, `${ERASE}1 open`);
  await flushed;
  resolve(5);
  await terminal.flush(1000);
});

test("a line that finds no room is counted, and the count is written once", async () => {
  const { terminal, text } = terminalOf(false);
  terminal.err("first\n");
  terminal.err(`${"long ".repeat(2 ** 19)}\n`);
  await terminal.flush(1000);
  assertEquals(text(), "first\n1 line of the log lost: they were not read in time\n");
});
