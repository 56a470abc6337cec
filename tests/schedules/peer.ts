/**
 * One peer of a join: a TCP connection that does as it is told.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { PatternStream } from "../support/parcels.ts";
import { deferred } from "../support/async.ts";
import type { Facts } from "./protocol.ts";
import type { Side } from "../support/sides.ts";
import type { PeerStep } from "./schedule.ts";

const HOST = "127.0.0.1";
/** How long one that leaves waits for the end of file. */
const LEAVE_MS = 100;

/** The seeds of what they send. */
const SEEDS: Readonly<Record<Side, number>> = { a: 1, b: 2 };

/** A peer; it runs on Node, whose sockets can be trusted with half-closes and can reset. */
export class Peer {
  readonly #sends: PatternStream;
  readonly #awaits: PatternStream;
  readonly #opened = deferred<Socket>();
  #server?: Server;
  #socket?: Socket;
  #given = 0;
  #sent = 0;
  #received = 0;
  #intact = true;
  #saw: Facts["saw"] = "nothing";
  #finished = false;
  #over = false;
  #left?: Facts["left"];
  #writeFailed?: string;
  #closed = false;
  #sending: Promise<unknown> = Promise.resolve();
  readonly #waiting = new Set<() => void>();

  constructor(side: Side) {
    this.#sends = new PatternStream(SEEDS[side]);
    this.#awaits = new PatternStream(SEEDS[side === "a" ? "b" : "a"]);
  }

  /** Connects to a port, or listens, and gives the port. */
  async open(port: number): Promise<number> {
    const { resolve, reject } = this.#opened;
    if (port > 0) {
      const socket = connect({ host: HOST, port, allowHalfOpen: true });
      socket.on("error", (error) => {
        reject(error);
        this.#ends("reset");
      });
      // Whoever waits for it is told.
      this.#opened.promise.catch(() => {});
      socket.once("connect", () => resolve(socket));
      return port;
    }
    const server = this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.once("connection", (socket) => {
      server.close();
      // It may break before there is anything to be done.
      socket.on("error", () => this.#ends("reset"));
      resolve(socket);
    });
    await new Promise<void>((listening) => server.listen(0, HOST, listening));
    const address = server.address();
    if (typeof address !== "object" || !address) throw new TypeError("The peer has no port");
    return address.port;
  }

  /** Fulfils once it is connected. */
  async connected(): Promise<void> {
    const socket = this.#socket = await this.#opened.promise;
    socket.setNoDelay(true);
    socket.on("data", (data: Uint8Array) => this.#came(data));
    socket.on("end", () => this.#ends("eof"));
    socket.on("close", () => {
      this.#closed = true;
      this.#changed();
    });
    socket.resume();
  }

  /** Begins a step. */
  begin(step: PeerStep): void {
    const socket = this.#socket!;
    if (socket.destroyed) return;
    switch (step.do) {
      case "send":
        return this.#afterwards(() => this.#send(step.bytes, step.chunk));
      case "finish":
        return this.finish();
      case "leave":
        return this.#afterwards(() => this.#leave());
      case "pause":
      case "resume":
        return void socket[step.do]();
      case "reset":
      case "close":
        if (step.now) return this.#end(step.do);
        return this.#afterwards(() => this.#end(step.do));
    }
  }

  /** Reads whatever there is. */
  resume(): void {
    this.#socket!.resume();
  }

  /** Ends its writing after what it sends. */
  finish(): void {
    this.#afterwards(() => {
      this.#finished ||= !this.#over;
      this.#socket!.end();
    });
  }

  /** The join is over: what it does from here on has no part in it. */
  letGo(): void {
    this.#over = true;
    this.#socket!.resume();
    this.finish();
  }

  /** Fulfils once it has got so many bytes, or after some milliseconds. */
  received(bytes: number, ms: number): Promise<void> {
    return this.#until(() => this.#received >= bytes || this.#saw !== "nothing", ms);
  }

  /** Fulfils once it is closed, or after some milliseconds. */
  closed(ms: number): Promise<void> {
    return this.#until(() => this.#closed, ms);
  }

  /** What it has done and seen. */
  facts(ms: number): Facts {
    return {
      given: this.#given,
      sent: this.#sent,
      received: this.#received,
      intact: this.#intact,
      saw: this.#saw,
      finished: this.#finished,
      left: this.#left,
      writeFailed: this.#writeFailed,
      closed: this.#closed,
      ms,
    };
  }

  /** Lets go of it, whatever its state. */
  dispose(): void {
    this.#server?.close();
    this.#socket?.destroy();
  }

  #afterwards(action: () => unknown): void {
    this.#sending = this.#sending.then(() => this.#socket!.destroyed ? undefined : action());
  }

  async #send(bytes: number, chunk: number): Promise<void> {
    const socket = this.#socket!;
    // One that has ended its writing sends no more.
    if (socket.writableEnded) return;
    for (let left = bytes; left > 0 && !socket.destroyed;) {
      const part = this.#sends.next(Math.min(left, chunk));
      left -= part.length;
      this.#given += part.length;
      const error = await new Promise<Error | null | undefined>((sent) => socket.write(part, sent));
      if (error) {
        this.#writeFailed ??= error.message;
        return;
      }
      this.#sent += part.length;
    }
  }

  #end(how: "reset" | "close"): void {
    const socket = this.#socket!;
    // Node 26 cannot reset one while it is shut down.
    if (how === "reset" && socket.writableEnded && !socket.writableFinished) {
      return void socket.once("finish", () => this.#end(how));
    }
    if (socket.destroyed) return;
    if (!this.#over) this.#left ??= how;
    if (how === "reset") socket.resetAndDestroy();
    else socket.destroy();
  }

  async #leave(): Promise<void> {
    this.#socket!.resume();
    await this.#until(() => this.#saw !== "nothing", LEAVE_MS);
    this.#end("close");
  }

  #came(data: Uint8Array): void {
    this.#received += data.length;
    this.#intact &&= Buffer.compare(data, this.#awaits.next(data.length)) === 0;
    this.#changed();
  }

  #ends(saw: "eof" | "reset"): void {
    if (this.#saw === "nothing") this.#saw = saw;
    this.#changed();
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }

  #until(holds: () => boolean, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const look = () => {
        if (holds()) done();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(look);
      look();
    });
  }
}
