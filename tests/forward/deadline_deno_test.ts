import { assertEquals } from "@std/assert";
import { Deadline } from "../../src/forward/deadline.ts";
import { test } from "../harness.ts";

/** A deadline, and the number of its calls. */
function countedDeadline(): { deadline: Deadline; calls(): number; called: Promise<void> } {
  const { promise: called, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  const deadline = new Deadline(() => {
    calls++;
    resolve();
  });
  return { deadline, calls: () => calls, called };
}

test("a deadline can be brought forward, and calls back once", async () => {
  const { deadline, calls, called } = countedDeadline();
  deadline.bringForward(Infinity);
  deadline.bringForward(600_000);
  deadline.bringForward(10);
  deadline.bringForward(600_000);
  assertEquals(calls(), 0);
  await called;
  deadline.bringForward(0);
  assertEquals(calls(), 1);
});

test("a deadline of now calls back at once", () => {
  const { deadline, calls } = countedDeadline();
  deadline.bringForward(600_000);
  deadline.bringForward(0);
  assertEquals(calls(), 1);
});

test("a cancelled deadline never calls back, and keeps no timer", () => {
  const { deadline, calls } = countedDeadline();
  deadline.bringForward(600_000);
  deadline.cancel();
  deadline.bringForward(0);
  deadline.bringForward(1000);
  assertEquals(calls(), 0);
});
