/**
 * JUnit reports: counts and times, as each runner words its failures better in its own output.
 *
 * @module
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import type { TestTime } from "./runtimes.ts";
import type { Counts } from "./tally.ts";

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  processEntities: false,
  isArray: (name) => name === "testsuite" || name === "testcase",
});

interface Case {
  name: string;
  /** Seconds. */
  time?: string;
  failure?: unknown;
  error?: unknown;
  skipped?: unknown;
}

interface Suite {
  testsuite?: Suite[];
  testcase?: Case[];
}

/** What a report says of the tests of a file. */
export interface Report extends Counts {
  readonly times: TestTime[];
}

/** Counts the test cases of a report; `undefined` if the report broke off. */
export function count(xml: string): Report | undefined {
  if (XMLValidator.validate(xml) !== true) return undefined;
  const counts: Report = { passed: 0, failed: 0, skipped: 0, times: [] };
  const report: { testsuites?: Suite | "" } = parser.parse(xml);
  for (const testcase of cases(report.testsuites || {})) {
    if ("failure" in testcase || "error" in testcase) counts.failed++;
    else if ("skipped" in testcase) counts.skipped++;
    else counts.passed++;
    if (testcase.time) counts.times.push({ name: testcase.name, ms: 1000 * Number(testcase.time) });
  }
  return counts;
}

function* cases(suite: Suite): Generator<Case> {
  yield* suite.testcase ?? [];
  for (const inner of suite.testsuite ?? []) yield* cases(inner);
}
