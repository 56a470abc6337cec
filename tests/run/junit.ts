/**
 * JUnit reports: counts only, as each runner words its failures better in its own output.
 *
 * @module
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import type { Counts } from "./tally.ts";

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  processEntities: false,
  isArray: (name) => name === "testsuite" || name === "testcase",
});

interface Case {
  failure?: unknown;
  error?: unknown;
  skipped?: unknown;
}

interface Suite {
  testsuite?: Suite[];
  testcase?: Case[];
}

/** Counts the test cases of a report; `undefined` if it broke off. */
export function count(xml: string): Counts | undefined {
  if (XMLValidator.validate(xml) !== true) return undefined;
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const report: { testsuites?: Suite | "" } = parser.parse(xml);
  for (const testcase of cases(report.testsuites || {})) {
    if ("failure" in testcase || "error" in testcase) counts.failed++;
    else if ("skipped" in testcase) counts.skipped++;
    else counts.passed++;
  }
  return counts;
}

function* cases(suite: Suite): Generator<Case> {
  yield* suite.testcase ?? [];
  for (const inner of suite.testsuite ?? []) yield* cases(inner);
}
