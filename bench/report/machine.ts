/**
 * What a bench runs on.
 *
 * @module
 */
import os from "node:os";
import { run } from "../../tests/tools/process.ts";

/** A machine, and how busy it was. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  /** Load averages over 1, 5 and 15 minutes when the bench began. */
  readonly load: readonly number[];
}

/** This one. */
export function machine(): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.cpus().length,
    kernel: `${os.type()} ${os.release()}`,
    load: os.loadavg().map((value) => Number(value.toFixed(2))),
  };
}

/** The first line of what a program says of its version, or `unknown`. */
export async function versionOf(executable: string, ...flags: string[]): Promise<string> {
  const { output } = await run([executable, ...flags.length > 0 ? flags : ["--version"]]);
  const line = output.split("\n").find((line) => /\d+\.\d+/.test(line));
  return line?.match(/v?\d+(?:\.\d+)+[\w.+-]*/)?.[0]?.replace(/^v/, "") ?? "unknown";
}
