import {
  join,
  JoinError,
  type JoinOptions,
  type JoinResult,
  LimitError,
  type Message,
  type MessagePair,
} from "@webstreams/join";
import { WebSocketCloseError } from "@webstreams/join/websocket";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { test } from "../harness.ts";
import { deferred, macrotask, rejection } from "../support/async.ts";
import { untyped } from "../support/untyped.ts";
import type { Far, FarOptions } from "../peer/far_end.ts";
import type { Connected, Setup } from "./setup.ts";

const MIB = 1024 * 1024;
const TEXT = "Grüße, 世界 😀 ";

/** Of every kind and size: what a stream of bytes would lose. */
const MESSAGES: readonly Message[] = [
  "",
  new Uint8Array(),
  "a",
  Uint8Array.of(0),
  TEXT,
  "",
  bytes(125),
  bytes(65_535),
  bytes(65_537),
  TEXT.repeat(10_000),
  new Uint8Array(),
  bytes(MIB + 1),
  "last",
];

function bytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, at) => at % 251);
}

function payload(messages: readonly Message[]): number {
  const size = (it: Message) =>
    typeof it === "string" ? new TextEncoder().encode(it).length : it.length;
  return messages.reduce((sum, message) => sum + size(message), 0);
}

/** Two ends of messages that are joined, and their peers. */
interface Relay {
  readonly a: Far;
  readonly b: Far;
  readonly joined: Promise<JoinResult>;
  readonly stats: Partial<Pick<JoinResult, "aToB" | "bToA">>;
}

interface RelayOptions extends Pick<JoinOptions, "limit" | "rate" | "signal" | "via"> {
  readonly farA?: FarOptions;
  readonly farB?: FarOptions;
}

/** A message is a chunk, a chunk is a message, and a close comes out with the code that it went in with. */
export function messagesPass(setup: Setup): void {
  const { name, can: { closeCodes, closesUnheard = [] }, timeout } = setup;
  if (!closeCodes) return;

  const testEnd = (
    title: string,
    body: (end: MessagePair, connected: Connected) => Promise<void>,
    options: FarOptions = {},
  ) =>
    test(`${name}: ${title}`, { timeout }, async () => {
      const connected = await setup.open(options);
      try {
        await body(untyped<MessagePair>(connected.end), connected);
      } finally {
        await connected.peer.dispose();
        await connected.end.close?.();
        await connected.dispose?.();
      }
    });
  const testRelay = (
    title: string,
    body: (relay: Relay) => Promise<unknown>,
    { farA = {}, farB = {}, ...options }: RelayOptions = {},
  ) =>
    test(`${name}: relayed, ${title}`, { timeout }, async () => {
      const opened = [await setup.open(farA), await setup.open(farB)] as const;
      const [a, b] = opened.map(({ end }) => untyped<MessagePair>(end));
      const stats = {};
      const joined = join(a!, b!, { ...options, stats });
      joined.catch(() => {});
      try {
        await body({ a: opened[0].peer, b: opened[1].peer, joined, stats });
      } finally {
        for (const { peer, dispose } of opened) {
          await peer.dispose();
          await dispose?.();
        }
        await joined.catch(() => {});
      }
    });

  const told = (code: number) => {
    if (closeCodes === "all" || code === 1000 || code >= 3000) return code;
    return code === 1001 ? 1000 : code + 3000;
  };

  testEnd("each message keeps its kind and its bounds", async ({ readable, writable }) => {
    const writer = writable.getWriter();
    const reader = readable.getReader();
    const writing = (async () => {
      for (const message of MESSAGES) await writer.write(message.slice());
    })();
    for (const message of MESSAGES) {
      const { value } = await reader.read();
      assertEquals(typeof value, typeof message);
      // A megabyte of elements compared one by one takes seconds.
      if (typeof value === "string") assert(value === message);
      else assert(value!.constructor === Uint8Array && same(value, message as Uint8Array));
    }
    await writing;
    const closed = writer.close();
    await (setup.can.closeAnswered === "unsurely" ? Promise.allSettled([closed]) : closed);
  }, { echo: true });

  testEnd("a chunk that is no message is refused", async ({ writable }) => {
    const refused = await rejection(writable.getWriter().write(untyped(1)));
    assertInstanceOf(refused, TypeError);
    assertEquals(refused.message, "Only a text, an ArrayBuffer or a view is a message: got 1");
  });

  for (const via of ["auto", "pipeTo"] as const) {
    testRelay(`messages are not cut, merged or dropped (${via})`, async ({ a, b, joined }) => {
      const sent = [
        a.send({ bytes: 300_000, chunk: 100_000, text: true, seed: 1 }),
        a.send({ bytes: 10, chunk: 1, seed: 2 }),
        b.send({ bytes: 3 * MIB, chunk: MIB, seed: 3 }),
      ];
      const there = await b.until({ received: 300_010 });
      assertEquals([there.chunks, there.largest], [13, 100_000]);
      const back = await a.until({ received: 3 * MIB });
      assertEquals([back.chunks, back.largest], [3, MIB]);
      await Promise.all(sent);
      await a.finish();
      const { aToB, bToA, ended } = await joined;
      assertEquals(ended, "eof");
      assertEquals([aToB, bToA], [{ bytes: 300_010, chunks: 13 }, { bytes: 3 * MIB, chunks: 3 }]);
    }, { via });
  }

  const counted = "what passes is counted at once, a text as UTF-8, and empty ones too";
  testEnd(counted, async (end) => {
    const aborter = new AbortController();
    const came: Message[] = [];
    const stats: Relay["stats"] = {};
    const all = deferred();
    const own: MessagePair = {
      messages: true,
      readable: new ReadableStream({
        start: (controller) => MESSAGES.forEach((message) => controller.enqueue(message.slice())),
      }),
      writable: new WritableStream({
        write(message) {
          if (came.push(message) === MESSAGES.length) all.resolve();
        },
      }),
    };
    const joined = join(own, end, { stats, signal: aborter.signal });
    joined.catch(() => {});
    await all.promise;
    assertEquals(came.map((message) => typeof message), MESSAGES.map((message) => typeof message));
    // The last write is counted as it settles.
    await macrotask();
    const counts = { bytes: payload(MESSAGES), chunks: MESSAGES.length };
    assertEquals(stats, { aToB: counts, bToA: counts });
    aborter.abort();
    await rejection(joined);
  }, { echo: true });

  testRelay("a limit lets whole messages pass", async ({ a, b, joined, stats }) => {
    await a.send({ bytes: 90, chunk: 45, text: true });
    await b.until({ received: 90 });
    void a.send({ bytes: 11 }).catch(() => {});
    const error = await rejection(joined);
    assertInstanceOf(error, JoinError);
    assertInstanceOf(error.cause, LimitError);
    assertEquals(stats.aToB, { bytes: 90, chunks: 2 });
    const { ended, received } = await b.until({ ended: true });
    assertEquals([received, ended.code], [90, told(1011)]);
  }, { limit: { aToB: 100 } });

  testRelay("a rate keeps messages whole", async ({ a, b, joined }) => {
    await a.send({ bytes: 30_000, chunk: 30_000, seed: 1 });
    const { chunks } = await b.until({ received: 30_000 });
    assertEquals(chunks, 1);
    await a.finish();
    await joined;
  }, { rate: { aToB: 100_000 } });

  const words = "ü".repeat(61);
  for (const [code, reason] of [[1000, "done"], [1001, words], [undefined, ""]] as const) {
    testRelay(`a close with ${code ?? "no code"} is handed on, and no failure`, async (relay) => {
      const { a, b, joined } = relay;
      await a.send({ bytes: 5 });
      await a.close(code, reason);
      const { ended, received } = await b.until({ ended: true });
      assertEquals(ended, { how: "eof", code: code ? told(code) : 1005, reason });
      assertEquals(received, 5);
      assertEquals((await joined).reason, "eof");
    });
  }
  for (const code of [1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4999]) {
    testRelay(`a close with ${code} is handed on, and a failure`, async ({ a, b, joined }) => {
      await b.send({ bytes: 5 });
      await a.until({ received: 5 });
      await b.close(code, words);
      const { ended } = await a.until({ ended: true });
      const [heard, toldBy, said] = closesUnheard.includes(code)
        ? [1006, told(1014), ""]
        : [code, told(code), words];
      assertEquals(ended, { how: "reset", code: toldBy, reason: said });
      const error = await rejection(joined);
      assertInstanceOf(error, JoinError);
      assertInstanceOf(error.cause, WebSocketCloseError);
      const { end, cause } = error;
      assertEquals([end, cause.code, cause.reason], ["b", heard, said]);
    });
  }

  testRelay("a side that is cut off is a bad gateway to the other", async ({ a, b, joined }) => {
    await opened(a, b);
    await a.reset();
    const { ended } = await b.until({ ended: true });
    assertEquals([ended.how, ended.code], ["reset", told(1014)]);
    const error = await rejection(joined);
    assertInstanceOf(error, JoinError);
    assertEquals([error.end, error.reason], ["a", "reset"]);
  });

  const failures = [[new Error("x"), 1011], [{ code: "ECONNREFUSED" }, 1014]] as const;
  for (const [failure, code] of failures) {
    testEnd(`a failure of what is no WebSocket is told as ${code}`, async (end, { peer }) => {
      // A client that connects can be told no code.
      await peer.send({ bytes: 1 });
      const came = deferred();
      const own: MessagePair = {
        messages: true,
        readable: new ReadableStream({
          pull: () => came.promise.then(() => Promise.reject(failure)),
        }),
        writable: new WritableStream({ write: () => came.resolve() }),
      };
      const error = await rejection(join(own, end));
      assertInstanceOf(error, JoinError);
      assert(error.cause === failure);
      const { ended } = await peer.until({ ended: true });
      assertEquals([ended.how, ended.code], ["reset", told(code)]);
    });
  }

  const aborter = new AbortController();
  testRelay("an abort tells both of an error of ours", async ({ a, b, joined }) => {
    await opened(a, b);
    aborter.abort();
    await rejection(joined);
    for (const far of [a, b]) {
      const { ended } = await far.until({ ended: true });
      assertEquals([ended.how, ended.code], ["reset", told(1011)]);
    }
  }, { signal: aborter.signal });

  const leaver = new AbortController();
  testRelay("an abort's own code is what both are told", async ({ a, b, joined }) => {
    await opened(a, b);
    leaver.abort(new WebSocketCloseError(1012, "restart"));
    await rejection(joined);
    for (const far of [a, b]) {
      const { ended } = await far.until({ ended: true });
      assertEquals([ended.code, ended.reason], [told(1012), "restart"]);
    }
  }, { signal: leaver.signal });

  const noBytes = "one of messages is joined to no end of bytes, and nothing moves";
  testEnd(noBytes, async (end, { peer }) => {
    const bytes = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
    for (const [a, b, kind] of [[end, bytes, "messages"], [bytes, end, "bytes"]] as const) {
      const error = await rejection(join(untyped<MessagePair>(a), untyped<MessagePair>(b)));
      assertInstanceOf(error, TypeError);
      const rule = `Cannot join as 'b' must be an end of ${kind} as 'a' is: got `;
      assertEquals(error.message.slice(0, rule.length), rule);
    }
    const { received, ended } = await peer.stats();
    assertEquals([received, ended.how], [0, "open"]);
    assert(!bytes.readable.locked && !bytes.writable.locked);
  });
}

/** A client that connects can be told no code. */
async function opened(a: Far, b: Far): Promise<void> {
  await a.send({ bytes: 1 });
  await b.until({ received: 1 });
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
