/**
 * Runs a file of tests on Node, without Node's own runner: that watches every promise by an async hook,
 * which took 13 of the 17 s that a test of ten thousand joins did on Node 20.
 *
 *     node main.js FILE REPORT
 *
 * Writes a line of JSON to REPORT for each thing there is to tell.
 *
 * @module
 */
import { appendFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { runCollected } from "../../support/collector.ts";
import { TICK } from "./tick.ts";

const [file, report] = process.argv.slice(2);

await runCollected(
  () => import(pathToFileURL(resolve(file)).href),
  (progress) => {
    appendFileSync(report, `${JSON.stringify(progress)}\n`);
    process.stdout.write(TICK);
    return Promise.resolve();
  },
);
