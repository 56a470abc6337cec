// Pings, and what is done if nobody answers; for the WebSocket adapters.

import { refuse } from "../../check/refuse.ts";
import { MAX_TIMEOUT_MS } from "../../check/options.ts";
import type { WebSocketLike } from "./like.ts";

const OFFERED =
  "is for one of the 'ws' package and of Bun's server (Deno.upgradeWebSocket has an " +
  "'idleTimeout', join too)";

/** What can hear a pong: an emitter as `ws` has it, or a Bun server's, by its handlers. */
export interface Pinging extends Pick<WebSocketLike, "ping" | "getBufferedAmount"> {
  on?(type: "pong", listener: () => void): unknown;
  off?(type: "pong", listener: () => void): unknown;
}

/** An end as it is seen from here. */
interface Pinged {
  /** Whether a pong would be heard: it is open, and not stopped. */
  readonly hears: boolean;
  /** Bytes that wait to be sent. */
  readonly amount: number;
  giveUp(error: Error): void;
}

/** Refuses what cannot be done with a socket. */
export function assertPing(action: string, socket: Pinging, ms: unknown): void {
  if (ms === undefined) return;
  if (!Number.isInteger(ms) || !(ms as number >= 1 && ms as number <= MAX_TIMEOUT_MS)) {
    const rule = `must be an integer of 1 to ${MAX_TIMEOUT_MS} milliseconds`;
    refuse(action, "ping", rule, ms, RangeError);
  }
  const { ping, on, getBufferedAmount } = socket;
  if (!ping || !on && !getBufferedAmount) refuse(action, "ping", OFFERED, ms);
}

/** Pings the peer of an end, which fails when nothing is heard of it from one ping to the next. */
export class Pings {
  /** Why it has been cut off. */
  silent = false;
  readonly #end: Pinged;
  readonly #socket: Pinging;
  readonly #ms: number;
  #timer?: ReturnType<typeof setInterval>;
  #alive = true;
  #unsent = 0;

  constructor(end: Pinged, socket: Pinging, ms: number) {
    this.#end = end;
    this.#socket = socket;
    this.#ms = ms;
    this.start();
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#alive = true;
    this.#timer = setInterval(() => this.#tick(), this.#ms);
    this.#socket.on?.("pong", this.heard);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#socket.off?.("pong", this.heard);
  }

  readonly heard = (): void => {
    this.#alive = true;
  };

  #tick(): void {
    const { hears, amount } = this.#end;
    // A ping, and its answer, wait behind what either side has still to take: that it does is an answer.
    const moves = amount < this.#unsent;
    this.#unsent = amount;
    if (!hears || moves) this.#alive = true;
    if (!this.#alive) {
      this.silent = true;
      return this.#end.giveUp(new Error(`The peer answered no 'ping' for ${this.#ms} ms`));
    }
    if (!hears) return;
    this.#alive = false;
    this.#socket.ping!();
  }
}
