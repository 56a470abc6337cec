// Pings the peer of a WebSocket, and ends a silent WebSocket; for the WebSocket adapter alone.

import { MAX_TIMEOUT_MS } from "../../check/options.ts";
import { isSize, refuse } from "../../check/refuse.ts";
import type { WebSocketLike } from "./like.ts";

/** What can report a pong: an event emitter as of `ws`, or a Bun server's WebSocket by its handlers. */
export interface Pinging extends Pick<WebSocketLike, "ping" | "getBufferedAmount"> {
  on?(type: "pong", listener: () => void): unknown;
  off?(type: "pong", listener: () => void): unknown;
}

/** The part of an end that pings need. */
interface Pinged {
  /** Whether a pong would be reported now. */
  readonly hearsPongs: boolean;
  /** Bytes that wait to be sent. */
  readonly unsentBytes: number;
  giveUp(error: Error): void;
}

/** Refuses an interval that is none, and a WebSocket that cannot report pongs. */
export function assertPing(action: string, socket: Pinging, ms: unknown): void {
  if (ms === undefined) return;
  if (!isSize(ms, 1, MAX_TIMEOUT_MS)) {
    const rule = `must be an integer of 1 to ${MAX_TIMEOUT_MS} milliseconds`;
    refuse(action, "ping", rule, ms, RangeError);
  }
  const { ping, on, getBufferedAmount } = socket;
  if (ping && (on || getBufferedAmount)) return;
  const rule = "needs a WebSocket of the 'ws' package or of Bun's server (Deno.upgradeWebSocket " +
    "and join have an 'idleTimeout')";
  refuse(action, "ping", rule, ms);
}

/** Pings the peer of an end at an interval. The end fails if the peer is silent for a whole interval. */
export class Pings {
  /** Whether the end has failed by the silence of its peer. */
  isSilent = false;
  readonly #end: Pinged;
  readonly #socket: Pinging;
  readonly #ms: number;
  #timer?: ReturnType<typeof setInterval>;
  /** Whether something has been heard since the last ping. */
  #isAlive = true;
  /** Bytes that waited to be sent at the last ping. */
  #unsentBytes = 0;

  constructor(end: Pinged, socket: Pinging, ms: number) {
    this.#end = end;
    this.#socket = socket;
    this.#ms = ms;
    this.start();
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#isAlive = true;
    this.#timer = setInterval(() => this.#tick(), this.#ms);
    this.#socket.on?.("pong", this.onSign);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#socket.off?.("pong", this.onSign);
  }

  /** A sign of life has come: a pong, or a message. */
  readonly onSign = (): void => {
    this.#isAlive = true;
  };

  #tick(): void {
    const { hearsPongs, unsentBytes } = this.#end;
    // A ping, and its answer, wait behind what either side still has to take. So a peer that takes bytes is alive.
    const isTaking = unsentBytes < this.#unsentBytes;
    this.#unsentBytes = unsentBytes;
    if (!hearsPongs || isTaking) this.#isAlive = true;
    if (!this.#isAlive) {
      this.isSilent = true;
      return this.#end.giveUp(new Error(`The peer answered no 'ping' for ${this.#ms} ms`));
    }
    if (!hearsPongs) return;
    this.#isAlive = false;
    this.#socket.ping!();
  }
}
