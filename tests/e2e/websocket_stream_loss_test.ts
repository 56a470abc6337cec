/** Why the chains with a WebSocketStream wait until all has come before its peer closes. */
import { assertEquals, assertLess } from "@std/assert";
import { test } from "../harness.ts";
import { listen } from "../peer/client.ts";
import { delay } from "../support/async.ts";
import { MIB } from "./chain.ts";
import { openWebSocketStream } from "./websocket_stream.ts";

test(
  "e2e: Chromium loses what a slow reader leaves when a WebSocketStream's peer closes (156; green until it does not)",
  { on: ["chromium"] },
  async () => {
    const bytes = 3 * MIB + 1;
    const far = await listen("websocket");
    const stream = openWebSocketStream(far.address.url);
    const reader = (await stream.opened).readable.getReader();
    const sending = far.send({ bytes }).then(() => far.finish());
    let received = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      received += (value as ArrayBuffer).byteLength;
      await delay(10);
    }
    await sending;
    assertEquals((await stream.closed).closeCode, 1000);
    await far.dispose();
    assertLess(received, bytes);
  },
);
