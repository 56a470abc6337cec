import { assertEquals } from "@std/assert";
import { describeEvent } from "../../../src/forward/cli/log.ts";
import { test } from "../../harness.ts";

test("events are one line each", () => {
  const close = {
    event: "close" as const,
    id: 7,
    from: "tcp://127.0.0.1:50000",
    to: "echo:",
    aToB: 12,
    bToA: 2048,
    ms: 1234,
  };
  assertEquals(
    [
      describeEvent({ event: "listen", address: "tcp://127.0.0.1:80", target: "echo:" }),
      describeEvent({ event: "open", id: 7, from: close.from, to: close.to }),
      describeEvent({ ...close, reason: "eof" }),
      describeEvent({ ...close, reason: "error", error: "Broken pipe" }),
      describeEvent({ event: "error", error: "Cannot accept for now: Too many open files" }),
      describeEvent({ event: "shutdown", open: 0, grace: 10_000 }),
      describeEvent({ event: "shutdown", open: 2, grace: 10_000 }),
      describeEvent({ event: "shutdown", open: 1, grace: Infinity }),
    ],
    [
      "Listening on tcp://127.0.0.1:80, forwarding to echo:",
      "#7 tcp://127.0.0.1:50000 > echo: open",
      "#7 tcp://127.0.0.1:50000 > echo: eof after 1.2 s, 12 B there, 2.0 KiB back",
      "#7 tcp://127.0.0.1:50000 > echo: error after 1.2 s, 12 B there, 2.0 KiB back: Broken pipe",
      "Cannot accept for now: Too many open files",
      "Shutting down",
      "Shutting down: 2 open, cut after 10.0 s",
      "Shutting down: 1 open",
    ],
  );
});
