/**
 * Two of Bun's sockets joined, with nothing in between: a relay as in the documentation, over each
 * kind of socket, between two peers.
 *
 * @module
 */
import { join, JoinError, type JoinOptions, type JoinResult } from "@webstreams/join";
import { type BunSocket, fromBunSocket, handlers } from "@webstreams/join/bun";
import { assertEquals, assertInstanceOf, assertLess } from "@std/assert";
import { test } from "../../harness.ts";
import { hashOf } from "../../support/parcels.ts";
import { certificate, dial, listen, type RemoteFar } from "../../peer/client.ts";
import type { FarOptions } from "../../peer/far_end.ts";
import type { Protocol } from "../../peer/protocol.ts";
import { deferred, rejection } from "../../support/async.ts";
import { bun, listenOnce } from "./runtime.ts";

const MIB = 1024 * 1024;
/** More than the kernel takes by itself: on Linux `tcp_rmem` and `tcp_wmem`, 36 MiB at most by default. */
const MUCH = { bytes: 160 * MIB, seed: 2 };
const QUIET_MS = 200;
const hostname = "127.0.0.1";
const question = { bytes: 1234, seed: 3 };
const answer = { bytes: 3 * MIB + 1, seed: 4 };
const on = ["bun"] as const;

/** A relay and both of its peers. */
interface Relay {
  readonly client: RemoteFar;
  readonly server: RemoteFar;
  readonly joined: Promise<JoinResult>;
}

interface RelayOptions extends JoinOptions {
  readonly from?: Protocol;
  readonly to?: Protocol;
  readonly client?: FarOptions;
  readonly server?: FarOptions;
}

async function relaying(
  { from = "tcp", to = "tcp", client: ofClient, server: ofServer, ...options }: RelayOptions,
  body: (relay: Relay) => Promise<void>,
): Promise<void> {
  const { cert, key } = await certificate();
  const server = await listen(to, ofServer);
  const joined = deferred<JoinResult>();
  joined.promise.catch(() => {});

  async function relay(socket: BunSocket): Promise<JoinResult> {
    const { port, path, ca } = server.address;
    const upstream = await bun.connect({
      ...(to === "unix" ? { unix: path } : { hostname, port }),
      tls: to === "tls" ? { ca } : undefined,
      allowHalfOpen: true,
      socket: handlers,
    });
    return await join(fromBunSocket(socket), fromBunSocket(upstream), options);
  }

  const { port } = listenOnce({
    hostname,
    port: 0,
    tls: from === "tls" ? { cert, key } : undefined,
    allowHalfOpen: true,
    socket: {
      ...handlers,
      open: (socket) => void relay(socket).then(joined.resolve, joined.reject),
    },
  });
  const client = await dial(from, { port, ca: cert }, ofClient);
  try {
    await body({ client, server, joined: joined.promise });
  } finally {
    await client.dispose();
    await server.dispose();
  }
}

const kinds = [["tcp", "tcp"], ["tcp", "unix"], ["tls", "tcp"], ["tls", "tls"]] as const;
for (const [from, to] of kinds) {
  test(
    `bun relay, ${from} to ${to}: much each way at once, to readers that stall`,
    { on },
    () =>
      relaying({ from, to, client: { paused: true }, server: { paused: true } }, async (relay) => {
        const { client, server, joined } = relay;
        const [there, back] = [MUCH, { ...MUCH, seed: 5 }];
        const sending = [client.send(there), server.send(back), client.finish(), server.finish()];
        const stalled = await client.until({ sent: 1, quiet: QUIET_MS });
        assertLess(stalled.sent, there.bytes);
        await Promise.all([client.resume(), server.resume()]);
        const [atServer, atClient] = await Promise.all(
          [server, client].map((far) => far.until({ ended: true, timeout: 50_000 })),
        );
        assertEquals([atServer.hash, atClient.hash], [hashOf(there), hashOf(back)]);
        assertEquals([atServer.ended.how, atClient.ended.how], ["eof", "eof"]);
        const { aToB, bToA, ended } = await joined;
        assertEquals([aToB.bytes, bToA.bytes, ended], [there.bytes, back.bytes, "eof"]);
        await Promise.all(sending);
      }),
  );

  test(
    `bun relay, ${from} to ${to}: an answer after the question has ended`,
    { on },
    () =>
      relaying({ from, to }, async ({ client, server, joined }) => {
        await client.send(question);
        await client.finish();
        assertEquals((await server.until({ ended: true })).hash, hashOf(question));
        await server.send(answer);
        await server.finish();
        assertEquals((await client.until({ ended: true })).hash, hashOf(answer));
        const { aToB, bToA } = await joined;
        assertEquals([aToB.bytes, bToA.bytes], [question.bytes, answer.bytes]);
      }),
  );

  test(
    `bun relay, ${from} to ${to}: a server that speaks first, and ends`,
    { on },
    () =>
      relaying({ from, to }, async ({ client, server, joined }) => {
        // With nothing from the client, its end of file is all there is to send upstream.
        await client.finish();
        await server.until({ ended: true });
        await server.send(answer);
        await server.finish();
        assertEquals((await client.until({ ended: true })).hash, hashOf(answer));
        assertEquals((await joined).ended, "eof");
      }),
  );
}

for (
  const [resets, other, end] of [["client", "server", "a"], ["server", "client", "b"]] as const
) {
  test(
    `bun relay: a reset by the ${resets} is one for the ${other}`,
    { on },
    () =>
      relaying({}, async (relay) => {
        await relay[resets].send(question);
        await relay[other].until({ received: question.bytes });
        await relay[resets].reset();
        const error = await rejection(relay.joined);
        assertInstanceOf(error, JoinError);
        assertEquals([error.end, error.side], [end, "read"]);
        assertEquals((await relay[other].until({ ended: true })).ended.how, "reset");
      }),
  );

  test(
    `bun relay: a reset by the ${resets} after its end of file is noticed`,
    { on },
    () =>
      relaying({}, async (relay) => {
        await relay[resets].finish();
        await relay[other].until({ ended: true });
        await relay[resets].reset();
        const error = await rejection(relay.joined);
        assertInstanceOf(error, JoinError);
        assertEquals([error.end, error.side], [end, "write"]);
      }),
  );

  test(
    `bun relay: so is one while the ${other} does not read`,
    { on },
    () =>
      relaying({ [other]: { paused: true } }, async (relay) => {
        void relay[resets].send(MUCH).catch(() => {});
        await relay[resets].until({ sent: 1, quiet: QUIET_MS });
        await relay[other].reset();
        const error = await rejection(relay.joined);
        assertInstanceOf(error, JoinError);
        assertEquals(error.end, end === "a" ? "b" : "a");
        assertEquals((await relay[resets].until({ ended: true })).ended.how, "reset");
      }),
  );
}

test("bun relay: an abort resets both", { on }, async () => {
  const controller = new AbortController();
  await relaying({ signal: controller.signal }, async ({ client, server, joined }) => {
    await client.send(question);
    await server.until({ received: question.bytes });
    controller.abort(new Error("enough"));
    assertEquals((await rejection(joined) as Error).message, "enough");
    const ends = await Promise.all([client, server].map((far) => far.until({ ended: true })));
    assertEquals(ends.map(({ ended }) => ended.how), ["reset", "reset"]);
  });
});

test(
  "bun relay: a limit holds",
  { on },
  () =>
    relaying({ limit: { aToB: 1000 } }, async ({ client, server, joined }) => {
      void client.send(question).catch(() => {});
      const error = await rejection(joined);
      assertInstanceOf(error, JoinError);
      assertEquals([error.cause instanceof Error, error.aToB.bytes], [true, 1000]);
      assertEquals((await server.until({ ended: true })).received <= 1000, true);
    }),
);

test(
  "bun relay: an idle one ends after its timeout",
  { on },
  () =>
    relaying({ idleTimeout: 300 }, async ({ client, server, joined }) => {
      await client.send(question);
      await server.until({ received: question.bytes });
      const error = await rejection(joined);
      assertInstanceOf(error, JoinError);
      assertEquals((error.cause as DOMException).name, "TimeoutError");
      assertEquals((await client.until({ ended: true })).ended.how, "reset");
    }),
);
