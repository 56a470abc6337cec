/**
 * The programs that a chain goes through, which the peer has running.
 *
 * @module
 */
import { ask } from "../peer/client.ts";
import type { Started, Starting } from "../peer/protocol.ts";

/** A recipe that runs, whatever runs the test. */
export class RemoteProgram {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** Of the certificate in `$FOLDER`: SHA-256, in hexadecimal. */
  readonly certificateHash: string;
  readonly #id: string;

  private constructor({ id, port, certificateHash }: Started) {
    this.#id = id;
    this.port = port;
    this.certificateHash = certificateHash;
  }

  /** Fulfils once it listens. */
  static async start(
    on: Starting["on"],
    name: string,
    ...args: Starting["args"]
  ): Promise<RemoteProgram> {
    const starting: Starting = { on, name, args };
    return new RemoteProgram(await ask<Started>("program", starting));
  }

  /** The next line that it prints. */
  async line(): Promise<string> {
    return await ask(`program/${this.#id}/line`, {});
  }

  async stop(): Promise<void> {
    await ask(`program/${this.#id}/stop`, {});
  }
}
