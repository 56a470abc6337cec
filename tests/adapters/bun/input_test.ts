/** What `./bun` says of what is no Bun socket, on every runtime. */
import { type BunSocket, fromBunSocket, handlers } from "@webstreams/join/bun";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { test } from "../../harness.ts";
import { untyped } from "../../support/untyped.ts";

/** What looks like a socket, and notes what is called. */
function fakeSocket(): BunSocket & { readonly calls: string[] } {
  const calls: string[] = [];
  const note = (name: string) => () => void calls.push(name);
  return {
    calls,
    readyState: 1,
    write: ({ length }) => length,
    shutdown: note("shutdown"),
    close: note("close"),
    terminate: note("terminate"),
    pause: note("pause"),
    resume: note("resume"),
  };
}

test("fromBunSocket: names what is no Bun socket, and leaves it alone", () => {
  const { terminate: _, ...partly } = fakeSocket();
  const others: [unknown, string][] = [
    [undefined, "got undefined"],
    [null, "got null"],
    ["127.0.0.1:80", 'got "127.0.0.1:80"'],
    [42, "got 42"],
    [new Uint8Array(1), "got an object (Uint8Array)"],
    [partly, "got an object (Object)"],
    [{ ...fakeSocket(), write: true }, "got an object (Object)"],
  ];
  for (const [value, named] of others) {
    const error = assertThrows(() => fromBunSocket(untyped<BunSocket>(value)), TypeError);
    assertStringIncludes(error.message, "Cannot make an end of a Bun socket");
    assertStringIncludes(error.message, named);
  }
  assertEquals(partly.calls, []);
});

test("fromBunSocket: names a closed socket, and leaves it alone", () => {
  for (const readyState of [0, -1]) {
    const socket = { ...fakeSocket(), readyState };
    const error = assertThrows(() => fromBunSocket(socket), TypeError);
    assertStringIncludes(error.message, "'socket' must not be closed: got an object (Object)");
    assertEquals(socket.calls, []);
  }
});

test("fromBunSocket: touches nothing before anybody reads or writes", () => {
  const socket = fakeSocket();
  const { halfClose, consumesOnWrite } = fromBunSocket(socket);
  assertEquals([halfClose, consumesOnWrite, socket.calls], [true, true, []]);
});

test("handlers: leave what is not theirs to the owner", () => {
  const names = ["binaryType", "close", "data", "drain", "end"];
  assertEquals(Object.keys(handlers).sort(), names);
});
