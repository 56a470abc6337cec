/** What comes from another realm, as of an iframe, `node:vm` or a test runner: no `instanceof` tells it. */
import {
  ByteCounterStream,
  type Conn,
  duplex,
  join,
  LimitError,
  memoryPair,
  type Pair,
  pipe,
  unread,
} from "@webstreams/join";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { type Runtime, test } from "../harness.ts";
import { rejection } from "../support/async.ts";
import { bytes, text } from "../support/bytes.ts";
import { joinError } from "../support/errors.ts";
import { FakeEnd, KINDS } from "../support/fake_end.ts";

type Bytes = Uint8Array<ArrayBuffer>;
/** Evaluates an expression in the other realm. */
type Evaluate = <T>(expression: string) => T;

const PAGES: readonly Runtime[] = ["chromium", "firefox", "webkit"];
const NODE: readonly Runtime[] = ["deno", "node", "bun"];

/** Registers a test with another realm. */
function testRealm(
  name: string,
  body: (evaluate: Evaluate) => Promise<void>,
  on: readonly Runtime[] = [...PAGES, ...NODE],
): void {
  test(`another realm: ${name}`, { on }, async () => {
    if (!("document" in globalThis)) {
      const { createContext, runInContext } = await import("node:vm");
      const context = createContext();
      await body((expression) => runInContext(`(${expression})`, context));
      return;
    }
    const { document } = globalThis as unknown as { document: Document };
    const frame = document.createElement("iframe");
    document.body.append(frame);
    const { eval: evaluate } = frame.contentWindow as typeof globalThis & Window;
    try {
      await body((expression) => evaluate(`(${expression})`));
    } finally {
      frame.remove();
    }
  });
}

interface Document {
  createElement(name: "iframe"): { readonly contentWindow: unknown; remove(): void };
  readonly body: { append(element: unknown): void };
}
type Window = { eval: (expression: string) => never };

/** "abc", as whatever carries bytes. */
const CHUNKS = {
  "an ArrayBuffer": "new Uint8Array([97, 98, 99]).buffer",
  "a Uint8Array": "new Uint8Array([97, 98, 99])",
  "a part of one": "new Uint8Array([0, 97, 98, 99, 0]).subarray(1, 4)",
  "a DataView": "new DataView(new Uint8Array([0, 97, 98, 99]).buffer, 1)",
};

function streamOf(...chunks: readonly unknown[]): ReadableStream<Bytes> {
  return new ReadableStream<unknown>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  }) as ReadableStream<Bytes>;
}

for (const [name, code] of Object.entries(CHUNKS)) {
  testRealm(`the bytes of ${name} count`, async (evaluate) => {
    const chunk = evaluate<Bytes>(code);
    assert(!(chunk instanceof Uint8Array) && !(chunk as unknown instanceof ArrayBuffer));
    const kept: unknown[] = [];
    const sink = () => new WritableStream({ write: (piece) => void kept.push(piece) });
    const { bytes, chunks } = await pipe(streamOf(chunk), sink());
    assertEquals([bytes, chunks], [3, 1]);
    assertStrictEquals(kept.pop(), chunk);
    const counter = new ByteCounterStream();
    await streamOf(chunk).pipeThrough(counter).pipeTo(sink());
    assertEquals(counter.bytes, 3);
    const error = await rejection(pipe(streamOf(chunk), sink(), { limit: 2 }));
    assertInstanceOf(error, LimitError);
    assertEquals(text(kept.at(-1) as Bytes), "ab");
  });

  for (const kind of KINDS) {
    testRealm(`${name} reaches an end (${kind})`, async (evaluate) => {
      const end = new FakeEnd(kind);
      const joined = join(duplex(streamOf(evaluate(code)), new WritableStream()), end.end);
      end.finish();
      assertEquals((await joined).aToB.bytes, 3);
      const [chunk] = end.received;
      assertEquals(new Uint8Array(await new Blob([chunk as Bytes]).arrayBuffer()), bytes("abc"));
    });

    testRealm(`${name} is put back (${kind})`, async (evaluate) => {
      const [a, b] = [new FakeEnd(kind), new FakeEnd("conn")];
      const head = evaluate<Bytes>(code);
      const whole = "readable" in a.end ? unread(a.end, head) : unread(a.end, head);
      a.finish("d");
      b.finish();
      assertEquals((await join(whole, b.end)).aToB.bytes, 4);
      assertEquals(b.text, "abcd");
    });
  }

  testRealm(`${name} is written to a memoryPair`, async (evaluate) => {
    const [here, there] = memoryPair();
    await pipe(streamOf(evaluate(code)), here.writable);
    assertEquals(await new Response(there.readable).text(), "abc");
  });
}

testRealm("its Uint8Array is a buffer", async (evaluate) => {
  const buffer = evaluate<Bytes>("new Uint8Array(3)");
  const source = new FakeEnd("conn");
  source.finish("abc");
  const sink = new FakeEnd("conn");
  const { bytes } = await pipe(source.end as Conn, sink.end as Conn, { buffer });
  assertEquals([bytes, sink.text, buffer[2]], [3, "abc", 99]);
});

for (const kind of ["Error", "TypeError"]) {
  testRealm(`its ${kind}s are told by their message`, async (evaluate) => {
    const a = new FakeEnd("default");
    const cause = evaluate(`new ${kind}("boom")`);
    assert(!(cause instanceof Error));
    a.failRead(cause);
    const error = await joinError(join(a.end, new FakeEnd("default").end));
    assertStrictEquals(error.cause, cause);
    assertEquals(error.message, "Reading from 'a' failed: boom");
  });
}

testRealm("its promises and thenables are waited for", async (evaluate) => {
  const later = evaluate<<T>(value: T) => Promise<T>>("async (value) => value");
  const thenable = evaluate<<T>(value: T) => Promise<T>>(
    "(value) => ({ then: (resolve) => { Promise.resolve().then(() => resolve(value)); } })",
  );
  for (const give of [later, thenable]) {
    const left = [bytes("abc"), null];
    const calls: string[] = [];
    const end: Conn = {
      read: (p) => {
        const chunk = left.shift();
        if (chunk) p.set(chunk);
        return give(chunk ? chunk.length : null);
      },
      write: (p) => give(p.length),
      closeWrite: () => give(undefined).then(() => calls.push("closeWrite")),
      close: () => give(undefined).then(() => calls.push("close")),
    };
    const other = new FakeEnd("default");
    other.finish("de");
    const { aToB, bToA } = await join(end, other.end);
    assertEquals([aToB.bytes, bToA.bytes, other.text], [3, 2, "abc"]);
    assertEquals(calls, ["closeWrite", "close"]);
  }
});

/** A pair of the other realm's streams: what is written comes back. */
const ECHO = "new TransformStream()";

testRealm("its streams are an end", async (evaluate) => {
  for (const via of ["auto", "pipeTo"] as const) {
    const [user, end] = memoryPair();
    const joined = join(evaluate<Pair>(ECHO), end, { via });
    await pipe(streamOf(bytes("there and back")), user.writable);
    assertEquals(await new Response(user.readable).text(), "there and back");
    assertEquals((await joined).aToB.bytes, 14);
  }
}, PAGES);

testRealm("... and are read with memory that is lent", async (evaluate) => {
  const make = evaluate<() => ReadableStream<Bytes>>(`() => new ReadableStream({
    type: "bytes",
    pull(controller) {
      const { byobRequest } = controller;
      byobRequest.view[0] = 97;
      byobRequest.respond(1);
      controller.close();
    },
  })`);
  let text = "";
  const sink = new WritableStream<Bytes>({
    write: (chunk) => void (text += new TextDecoder().decode(chunk)),
  });
  await pipe(make(), sink, { consumesOnWrite: true });
  assertEquals(text, "a");
}, ["chromium", "firefox"]);

testRealm("... and are put back to", async (evaluate) => {
  const [user, end] = memoryPair();
  const whole = unread(evaluate<Pair>(ECHO), bytes("head "));
  const joined = join(whole, end);
  await pipe(streamOf(bytes("body")), user.writable);
  assertEquals(await new Response(user.readable).text(), "head body");
  await joined;
}, PAGES);

testRealm("its signal aborts", async (evaluate) => {
  const controller = evaluate<AbortController>("new AbortController()");
  const { signal } = controller;
  const [a, b] = [new FakeEnd("conn"), new FakeEnd("default")];
  const joined = rejection(join(a.end, b.end, { signal }));
  const piped = rejection(pipe(new ReadableStream(), new WritableStream(), { signal }));
  controller.abort("enough");
  assertEquals([await joined, await piped], ["enough", "enough"]);
}, PAGES);
