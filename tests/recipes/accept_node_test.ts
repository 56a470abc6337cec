/** A server goes on serving, whatever becomes of some clients: each recipe that is one, with real ones. */
import { assertMatch } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import process from "node:process";
import { test } from "../harness.ts";
import { delay } from "../support/async.ts";
import { type Runtime, runtime } from "../support/environment.ts";
import { ask, dial, freePort, lateReplies, reset } from "./peers.ts";
import { Recipe } from "./recipe.ts";
import type { Program } from "../tools/program.ts";

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
    await using program = new Recipe(name, 0, ...args(await target.port()));
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
    await using program = Recipe.limited(...limited);
    const port = await program.port();
    if (runtime === "deno") await hearsSignals(program.child.pid!);
    const clients = new Clients(port, 150);
    // It says so, or closes a client in vain; Bun's relays do neither if it is an accept that fails.
    const lacks = () => program.errors !== "" || clients.someLeft || openIn(program) >= DESCRIPTORS;
    while (!lacks()) await delay(10);
    await clients.leave();
    await assertAnswers(port, question, answer);
  });
}

/** So many descriptors a program has open, as far as the platform tells. */
function openIn({ child }: Program): number {
  return process.platform === "linux" ? readdirSync(`/proc/${child.pid}/fd`).length : 0;
}

/** Deno 2.9 hears signals some 500 ms after its start, and panics if it has no descriptor for them. */
async function hearsSignals(pid: number): Promise<void> {
  const SIGUSR1 = 1n << 9n;
  for (let waited = 0; waited < 5000; waited += 20) {
    await delay(20);
    if (process.platform !== "linux") continue;
    const [, caught] = readFileSync(`/proc/${pid}/status`, "utf8").match(/^SigCgt:\s*(\w+)/m)!;
    if (BigInt(`0x${caught}`) & SIGUSR1) return;
  }
}

/** Clients that say nothing. Each that cannot connect, or no longer, has somebody who hears of it. */
class Clients {
  /** Whether the server has left one of them. */
  someLeft = false;
  readonly #sockets: Socket[] = [];
  readonly #dialing: Promise<unknown>;
  #leaving = false;

  constructor(port: number, count: number) {
    const dialing = Array.from({ length: count }, async () => this.#hold(await dial(port)));
    // Deno.serve resets those that wait, as it listens anew.
    this.#dialing = Promise.allSettled(dialing);
  }

  #hold(socket: Socket): void {
    if (this.#leaving) return void socket.destroy();
    this.#sockets.push(socket);
    for (const event of ["end", "error"]) socket.once(event, () => this.someLeft = true);
    socket.resume();
  }

  /** Those that wait for a place in the server's queue may get it only as others leave. */
  async leave(): Promise<void> {
    this.#leaving = true;
    for (const socket of this.#sockets) socket.destroy();
    await this.#dialing;
  }
}

/** In the end: a server may close what comes while it has no descriptor. */
async function assertAnswers(port: number, question: string, answer: RegExp): Promise<void> {
  const late = performance.now() + 30_000;
  let got: string;
  do {
    await delay(20);
    got = await ask(port, question).catch(String);
  } while (!answer.test(got) && performance.now() < late);
  assertMatch(got, answer);
}
