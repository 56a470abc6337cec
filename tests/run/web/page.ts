/**
 * Runs a file of tests in a page.
 *
 * @module
 */
import { type Progress, runCollected } from "../../support/collector.ts";

/** Runs the tests of the module `file`, and tells of them at `report`. */
export async function runPage(file: string, report: string): Promise<void> {
  let told: Promise<unknown> = Promise.resolve();
  const { fetch } = globalThis;
  const tell = async (progress: Progress) => {
    told = told.then(() => fetch(report, { method: "POST", body: JSON.stringify(progress) }));
    await told;
  };
  for (const level of ["debug", "log", "info", "warn", "error"] as const) {
    console[level] = (...args) => void tell({ printed: args.map(String).join(" ") });
  }
  await runCollected(() => import(file), tell);
}
