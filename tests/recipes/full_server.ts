/**
 * A server to which it takes long to connect.
 *
 * @module
 */
import type { Socket } from "node:net";
import { dial } from "./peers.ts";
import { Recipe } from "./recipe.ts";

/**
 * Stopped, and with as many waiting to be accepted as may: the kernel drops what else asks for a
 * connection, which asks again after 1 s, 2 s and so on.
 */
export class FullServer implements AsyncDisposable {
  readonly port: number;
  readonly #program: Recipe;
  readonly #waiting: readonly Promise<Socket>[];
  #accepted = 0;
  #closed = 0;

  private constructor(port: number, program: Recipe, waiting: readonly Promise<Socket>[]) {
    this.port = port;
    this.#program = program;
    this.#waiting = waiting;
  }

  static async start(): Promise<FullServer> {
    const program = new Recipe("small_backlog");
    const port = await program.port();
    program.signal("SIGSTOP");
    const waiting: Promise<Socket>[] = [];
    let isFull = false;
    while (!isFull) {
      const socket = dial(port);
      waiting.push(socket);
      let timer;
      const late = new Promise<void>((resolve) => timer = setTimeout(resolve, 200));
      isFull = !await Promise.race([socket, late]);
      clearTimeout(timer);
    }
    return new FullServer(port, program, waiting);
  }

  /** It accepts, and echoes, from here on. */
  async resume(): Promise<void> {
    this.#program.signal("SIGCONT");
    for (const dialing of this.#waiting) (await dialing).destroy();
  }

  /** Fulfils once so many others have been accepted, after `resume`. */
  async accepted(count: number): Promise<void> {
    const filling = this.#waiting.length;
    while (this.#accepted < filling + count || this.#closed < filling) await this.#look();
  }

  /** Fulfils once all that were accepted are closed. */
  async closed(): Promise<void> {
    while (this.#closed < this.#accepted) await this.#look();
  }

  async #look(): Promise<void> {
    if (await this.#program.line() === "accepted") this.#accepted++;
    else this.#closed++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resume();
    await this.#program[Symbol.asyncDispose]();
  }
}
