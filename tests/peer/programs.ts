/**
 * Programs that a test has running: recipes, for tests that are in a page and cannot start them, and what
 * is to run on Node, wherever the test does.
 *
 * @module
 */
import type { Certificate } from "../tools/certs.ts";
import { Recipe } from "../recipes/recipe.ts";
import { Program } from "../tools/program.ts";
import type { Started, Starting } from "./protocol.ts";
import { certificateHashOf } from "./wires/webtransport.ts";

/** Starts, asks and stops them. */
export class Programs {
  readonly #certificate: Certificate;
  readonly #running = new Map<string, Program>();
  #folder?: Promise<string>;
  readonly #bundled = new Map<string, Promise<string>>();

  constructor(certificate: Certificate) {
    this.#certificate = certificate;
  }

  /** Answers a request: `/program`, `/program/<id>/line`, `/program/<id>/stop`. */
  async answer(id: string, verb: string, body: unknown): Promise<unknown> {
    if (!id) return await this.#start(body as Starting);
    const program = this.#running.get(id);
    if (!program) throw new TypeError(`There is no program ${id}`);
    if (verb === "line") return await program.line();
    if (verb !== "stop") throw new TypeError(`A program has no verb '${verb}'`);
    this.#running.delete(id);
    await program[Symbol.asyncDispose]();
  }

  /** Stops those that are left. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((one) => one[Symbol.asyncDispose]()));
    if (this.#folder) await Deno.remove(await this.#folder, { recursive: true });
  }

  async #start({ on, name, args }: Starting): Promise<Started> {
    const folder = await (this.#folder ??= this.#makeFolder());
    const given = args.map((arg) => String(arg).replace("$FOLDER", folder));
    const program = on === "deno"
      ? new Recipe(name, ...given)
      : await this.#startOn(on, name, folder, given);
    const id = crypto.randomUUID();
    this.#running.set(id, program);
    const port = await program.port();
    return { id, port, certificateHash: await certificateHashOf(this.#certificate.cert) };
  }

  async #startOn(
    on: "bun" | "node",
    name: string,
    folder: string,
    args: readonly string[],
  ): Promise<Program> {
    const command = [await programOf(on), await this.#bundle(on, name, folder), ...args];
    return new Program(command, { showsErrors: true });
  }

  #bundle(on: "bun" | "node", name: string, folder: string): Promise<string> {
    const bundled = this.#bundled.get(name) ?? bundle(on, name, folder);
    this.#bundled.set(name, bundled);
    return bundled;
  }

  /** With the peer's certificate and its key in it. */
  async #makeFolder(): Promise<string> {
    const folder = await Deno.makeTempDir();
    const { cert, key } = this.#certificate;
    await Deno.writeTextFile(`${folder}/cert.pem`, cert);
    await Deno.writeTextFile(`${folder}/key.pem`, key);
    return folder;
  }
}

/** Bun, or the newest Node. */
async function programOf(on: "bun" | "node"): Promise<string> {
  const { executableOf } = await import("../tools/executables.ts");
  const { NODE_VERSIONS } = await import("../tools/npm.ts");
  return await executableOf(on === "bun" ? on : `node${NODE_VERSIONS.at(-1)}`);
}

/** They know nothing of `deno.json`: the library is in the recipe, as are packages. */
async function bundle(on: "bun" | "node", name: string, folder: string): Promise<string> {
  const { root, run } = await import("../tools/process.ts");
  const file = `${folder}/${name.replaceAll("/", "-")}.mjs`;
  const path = name.includes("/") ? name : `recipes/${name}`;
  const { success, output } = await run([
    ...[
      Deno.execPath(),
      "bundle",
      `--platform=${on === "bun" ? "browser" : "deno"}`,
      `--output=${file}`,
    ],
    `${root}/tests/${path}.ts`,
  ]);
  if (!success) throw new Error(output);
  return file;
}
