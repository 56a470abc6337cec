/** A server goes on serving, whatever becomes of some clients: each recipe that is one, with real ones. */
import { assertMatch } from "@std/assert";
import { readdirSync } from "node:fs";
import process from "node:process";
import { test } from "../harness.ts";
import { delay } from "../support/async.ts";
import { type Runtime, runtime } from "../support/environment.ts";
import { ask, dial, freePort, lateReplies, reset } from "./peers.ts";
import { Program } from "./program.ts";

/** A server, and what shows that it serves. */
interface Serving {
  readonly name: string;
  readonly on?: Runtime;
  /** Its arguments after the port. */
  readonly args: (target: number) => readonly (string | number)[];
  readonly question: string;
  readonly answer: RegExp;
}

const relay = {
  args: (target: number) => ["127.0.0.1", target],
  ...{ question: "hello", answer: /^got hello$/ },
};
const child = { args: () => ["cat"], question: "hello", answer: /^hello$/ };
const question = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

const all: readonly Serving[] = [
  { name: "deno_relay", on: "deno", ...relay },
  { name: "bun_relay", on: "bun", ...relay },
  { name: "node_relay", ...relay },
  { name: "child_process", on: "deno", ...child },
  { name: "child_process_node", ...child },
  { name: "connect_proxy", args: () => [], question, answer: / 405 / },
  { name: "upgrade_server", args: (target) => [target], question, answer: / 426 / },
  { name: "upgrade_websocket", on: "deno", args: relay.args, question, answer: / 426 / },
  { name: "websocket_bun", on: "bun", args: () => ["/none"], question, answer: / 426 / },
];
const here = all.filter(({ on }) => !on || on === runtime);

for (const { name, args, question, answer } of here) {
  test(`${name} bears clients that reset before they are accepted`, async () => {
    await using target = lateReplies();
    await using program = new Program(name, 0, ...args(await target.port()));
    const port = await program.port();
    // The kernel goes on accepting for a process that is stopped, which finds them dead.
    program.signal("SIGSTOP");
    for (let count = 0; count < 40; count++) await reset(port);
    const answered = ask(port, question);
    program.signal("SIGCONT");
    assertMatch(await answered, answer);
  });
}

const DESCRIPTORS = 100;

for (const { name, on, args, question, answer } of here) {
  // Of Deno's node:net and node:http, nothing accepts any more then (Deno 2.9).
  if (runtime === "deno" && !on) continue;
  test(`${name} bears that no descriptor is left`, async () => {
    await using target = lateReplies();
    const limited = [DESCRIPTORS, name, await freePort(), ...args(await target.port())] as const;
    await using program = Program.limited(...limited);
    const port = await program.port();
    // What Deno 2.9 opens in its first seconds, it panics without.
    if (runtime === "deno") await delay(2000);
    // From here on somebody hears of each that fails.
    const dialing = Promise.allSettled(Array.from({ length: 150 }, () => dial(port)));
    const open = `/proc/${program.child.pid}/fd`;
    while (process.platform === "linux" && readdirSync(open).length < DESCRIPTORS - 2) {
      await delay(10);
    }
    // Deno.serve resets those that wait, as it listens anew.
    for (const result of await dialing) {
      if (result.status === "fulfilled") result.value.destroy();
    }
    await assertAnswers(port, question, answer);
  });
}

/** In the end: a server may close what comes while it has no descriptor. */
async function assertAnswers(port: number, question: string, answer: RegExp): Promise<void> {
  const late = performance.now() + 5000;
  let got: string;
  do {
    await delay(20);
    got = await ask(port, question).catch(String);
  } while (!answer.test(got) && performance.now() < late);
  assertMatch(got, answer);
}
