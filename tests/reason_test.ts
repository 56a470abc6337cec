/** `reason`, `first` and `ms`: the rules; what real sockets fail with is in `reason_*_test.ts`. */
import { join, type JoinError, LimitError, memoryPair } from "@webstreams/join";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "./harness.ts";
import { deferred, delay, rejection, turns } from "./support/async.ts";
import { failsBy, joinError } from "./support/errors.ts";
import { FakeEnd } from "./support/fake_end.ts";
import { why } from "./support/outcome.ts";
import { PAIRS, SOME, testRoutes } from "./support/routes.ts";

const coded = (code: unknown, message = "") => Object.assign(new Error(message), { code });
const named = (name: string, rest: object = {}) => Object.assign(new Error("-"), { name, ...rest });

const circle = new Error("in a circle");
circle.cause = circle;

/** Beside those that real sockets give. */
const FAILURES: readonly [string, unknown, JoinError["reason"]][] = [
  ["a Node error's code", coded("EHOSTUNREACH"), "unreachable"],
  ["no answer", coded("ETIMEDOUT"), "unreachable"],
  ["no such name", coded("EAI_AGAIN"), "unreachable"],
  ["a Deno error's name", named("NetworkUnreachable"), "unreachable"],
  ["a code that goes before the name", named("ConnectionReset", { code: "EPROTO" }), "protocol"],
  ["a number that is no code of ours", named("ConnectionReset", { code: 104 }), "reset"],
  ["a certificate that is over", coded("CERT_HAS_EXPIRED"), "protocol"],
  ["an AbortError", new DOMException("stop", "AbortError"), "aborted"],
  ["a TimeoutError", new DOMException("late", "TimeoutError"), "aborted"],
  ["a cause's", new TypeError("terminated", { cause: coded("ECONNRESET") }), "reset"],
  [
    "the cause's cause's",
    new Error("", { cause: new Error("", { cause: coded("EPIPE") }) }),
    "reset",
  ],
  [
    "its own before its cause's",
    Object.assign(coded("EBADF"), { cause: coded("EPIPE") }),
    "closed",
  ],
  ["the first of several", new AggregateError([coded("ECONNREFUSED"), 1]), "refused"],
  ["a LimitError of somebody else's", new LimitError(1), "limit"],
  ["a cause that is its own", circle, "error"],
  ["an error that says nothing", new Error("the connection was reset"), "error"],
  ["a text", "ECONNRESET", "error"],
  ["nothing", undefined, "error"],
  ["null", null, "error"],
  ["an object without a prototype", Object.create(null), "error"],
];

for (const [name, failure, reason] of FAILURES) {
  test(`reason: ${name} is '${reason}'`, async () => {
    const [a, b] = [new FakeEnd("conn"), new FakeEnd("default")];
    const joined = join(a.end, b.end);
    a.failRead(failure);
    const error = await joinError(joined);
    assertStrictEquals(error.cause, failure);
    assertEquals(why(error), { reason, first: "a" });
  });
}

testRoutes("reason: the end of both is 'eof', and first the one that ended first", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  b.finish("greeting");
  await a.called("closeWrite");
  a.finish();
  const result = await joined;
  assertEquals([result.ended, why(result)], ["eof", { reason: "eof", first: "b" }]);
});

testRoutes("reason: one end and then silence is 'half-close-timeout'", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { halfCloseTimeout: 50 });
  a.finish();
  const result = await joined;
  assertEquals(why(result), { reason: "half-close-timeout", first: "a" });
  assertEquals(result.ended, "timeout");
  assert(result.ms >= 45 && result.ms < 5000, `${result.ms} ms`);
}, SOME);

testRoutes("reason: nothing at all is 'idle', and neither end was first", async (t) => {
  const [a, b] = t.ends();
  const error = await joinError(t.join(a, b, { idleTimeout: 50 }));
  assertEquals(why(error), { reason: "idle", first: undefined });
  assert(error.ms >= 45 && error.ms < 5000, `${error.ms} ms`);
}, SOME);

testRoutes("reason: too much is 'limit', and neither end was first", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b, { limit: 3 });
  a.send("four");
  assertEquals(why(await joinError(joined)), { reason: "limit", first: undefined });
});

testRoutes("first: an end that had ended goes before the other that fails", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  a.finish();
  await b.called("closeWrite");
  b.failRead(coded("ECONNRESET"));
  const error = await joinError(joined);
  assertEquals([error.end, why(error)], ["b", { reason: "reset", first: "a" }]);
});

testRoutes("first: an end that fails goes before the other that ends meanwhile", async (t) => {
  const [a, b] = t.ends();
  const write = deferred();
  b.onWrite = () => write.promise;
  const cause = coded("ECONNRESET");
  const joined = t.join(a, b);
  a.send("in flight");
  await b.until(() => b.writes === 1);
  a.errorReadable(cause);
  await turns();
  b.finish();
  await turns();
  write.resolve();
  assertEquals(why(await failsBy(cause, joined)), { reason: "reset", first: "a" });
}, PAIRS);

testRoutes("first: the end that takes no more", async (t) => {
  const [a, b] = t.ends();
  b.failWrites(coded("EPIPE"));
  const joined = t.join(a, b);
  a.send("too late");
  assertEquals(why(await joinError(joined)), { reason: "reset", first: "b" });
});

testRoutes("reason: what somebody else has closed is 'closed'", async (t) => {
  const [a, b] = t.ends();
  const joined = t.join(a, b);
  if ("writable" in b.end) b.errorWritable(named("BadResource"));
  else b.failRead(named("Interrupted"));
  assertEquals(why(await joinError(joined)), { reason: "closed", first: "b" });
});

test("an abort has no word: it rejects with the signal's reason", async () => {
  const [[, a], [b]] = [memoryPair(), memoryPair()];
  const controller = new AbortController();
  const joined = join(a, b, { signal: controller.signal });
  const reason = { mine: true };
  await delay(1);
  controller.abort(reason);
  assertStrictEquals(await rejection(joined), reason);
});
