/**
 * Runs a recipe as the program that it is.
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Program } from "../tools/program.ts";

type Args = readonly (string | number)[];

/** A recipe that runs, on the runtime that runs the test; its errors are shown. */
export class Recipe extends Program {
  /**
   * @param name The recipe's name, without `.ts`.
   * @param args Its arguments.
   */
  constructor(name: string, ...args: Args) {
    super(commandOf(name, args), { showsErrors: true });
  }

  /** A recipe that may have so many descriptors open at once. */
  static limited(descriptors: number, name: string, ...args: Args): Program {
    const limit = ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh"];
    return new Program([...limit, ...commandOf(name, args)], { showsErrors: true });
  }
}

function commandOf(name: string, args: Args): string[] {
  // Transpiled, where this file is.
  const file = fileURLToPath(new URL(`${name}.${import.meta.url.slice(-2)}`, import.meta.url));
  const run = "Deno" in globalThis ? ["run", "-A", "--no-check", "--quiet"] : [];
  return [process.execPath, ...run, file, ...args.map(String)];
}
