/** In a page, one WebTransport stream joined to one WebSocketStream. */
import { join } from "@webstreams/join";
import { fromWebSocketStream } from "@webstreams/join/websocket";
import { fromWebTransport } from "@webstreams/join/webtransport";
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { listen } from "../peer/client.ts";
import { connect } from "../tools/webtransport_session.ts";
import { arrives, type Chain, type ChainKind, ends, MIB, stalls, testChain } from "./chain.ts";
import { openWebSocketStream } from "./websocket_stream.ts";

const BOUND = 40 * MIB;
/** Chromium takes 6 MiB of a stream's, and the next a second later if the machine is busy. */
const QUIET_MS = 2000;
const kind: ChainKind = {
  name: "WebTransport stream to WebSocketStream",
  on: ["chromium"],
  there: { bytes: 48 * MIB, bound: BOUND },
  // Chromium's WebSocketStream is read as it comes: what the stream does not take waits in the page.
  back: { bytes: 8 * MIB },
  quiet: QUIET_MS,
  async open(options) {
    const [near, far] = [await listen("webtransport", options), await listen("websocket", options)];
    const session = await connect(near.address);
    const stream = await session.createBidirectionalStream();
    const controller = new AbortController();
    const joined = join(
      fromWebTransport(stream),
      fromWebSocketStream(openWebSocketStream(far.address.url)),
      { signal: controller.signal },
    );
    return {
      ...{ near, far, joined },
      async dispose() {
        controller.abort(new Error("The test is over"));
        await joined.catch(() => {});
        session.close();
        await near.dispose();
        await far.dispose();
      },
    };
  },
};

stalls(kind);

/** A stream is known to its peer once something has come on it. */
const hello = { bytes: 1, seed: 6 };

async function greet({ near, far }: Chain): Promise<void> {
  await far.send(hello);
  await arrives(near, hello);
}

testChain(kind, "a WebSocket's peer that stalls midway stops the stream's", {}, async (chain) => {
  const { near, far } = chain;
  const much = { bytes: 48 * MIB, seed: 5 };
  await greet(chain);
  const sending = near.send(much);
  await far.until({ received: MIB });
  await far.pause();
  const { sent } = await near.until({ quiet: QUIET_MS });
  const { received } = await far.stats();
  assertLessOrEqual(sent - received, BOUND);
  await far.resume();
  await sending;
  await arrives(far, much);
});

testChain(kind, "a stream's peer that has ended still gets the answer", {}, async (chain) => {
  const { near, far, joined } = chain;
  const [question, answer] = [{ bytes: 2 * MIB + 1, seed: 3 }, { bytes: 3 * MIB + 1, seed: 4 }];
  await greet(chain);
  await near.send(question);
  await near.finish();
  // Nothing tells the WebSocket's peer.
  assertEquals((await arrives(far, question)).ended.how, "open");
  await far.send(answer);
  // Not before: see websocket_stream_loss_test.ts.
  await arrives(near, hello, answer);
  await far.finish();
  await ends(near, hello, answer);
  await ends(far, question);
  assertEquals((await joined).ended, "eof");
});

testChain(kind, "a WebSocket's peer that closes ends the stream, after all", {}, async (chain) => {
  const { near, far, joined } = chain;
  const [question, answer] = [{ bytes: 2 * MIB + 1, seed: 3 }, { bytes: 3 * MIB + 1, seed: 4 }];
  await greet(chain);
  await near.send(question);
  await arrives(far, question);
  await far.send(answer);
  // Not before: see websocket_stream_loss_test.ts.
  await arrives(near, hello, answer);
  await far.finish();
  await ends(near, hello, answer);
  // Until then what it sends is dropped.
  await near.finish();
  const { aToB, bToA, ended } = await joined;
  assertEquals([aToB.bytes, bToA.bytes], [question.bytes, hello.bytes + answer.bytes]);
  assertEquals(ended, "eof");
});
