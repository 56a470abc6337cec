/** A page, WebRTC, `werift` on Node, TCP. */
import { fromDataChannel } from "@webstreams/join/webrtc";
import { join, memoryPair } from "@webstreams/join";
import { assertEquals, assertMatch } from "@std/assert";
import { test } from "../harness.ts";
import { hashOf } from "../support/parcels.ts";
import { listen } from "../peer/client.ts";
import { FarEnd } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";
import { joinError } from "../support/errors.ts";
import { connectionOfPage, described } from "../support/webrtc.ts";
import { RemoteProgram } from "./remote_program.ts";

const on = ["chromium", "firefox"] as const;

test("a page's data channel is joined to TCP by werift on Node, half-close and all", {
  on,
}, async () => {
  const server = await listen("tcp");
  const gateway = await gatewayTo(server.address.port);
  const connection = connectionOfPage();
  const end = fromDataChannel(connection.createDataChannel("tcp"));
  await reach(connection, gateway.port);
  const [near, other] = memoryPair();
  const page = new FarEnd(new PairWire(other));
  const joined = join(near, end);

  // It moves 1 MB a second.
  const [there, back] = [{ bytes: 300_001, seed: 1 }, { bytes: 400_001, seed: 2 }];
  await page.send(there);
  await page.finish();
  const { hash, ended } = await server.until({ ended: true });
  assertEquals([hash, ended.how], [hashOf(there), "eof"]);
  await server.send(back);
  await server.finish();
  const { aToB, bToA } = await joined;
  connection.close();
  assertEquals([aToB.bytes, bToA.bytes], [there.bytes, back.bytes]);
  assertEquals((await page.until({ ended: true })).hash, hashOf(back));
  assertEquals(await gateway.line(), `${there.bytes} bytes there, ${back.bytes} back`);
  await gateway.stop();
  await server.dispose();
});

test("a page's data channel fails with what it is joined to by werift", { on }, async () => {
  const server = await listen("tcp");
  const gateway = await gatewayTo(server.address.port);
  const connection = connectionOfPage();
  const end = fromDataChannel(connection.createDataChannel("tcp"));
  await reach(connection, gateway.port);
  const [near, other] = memoryPair();
  const page = new FarEnd(new PairWire(other));
  const failed = joinError(join(near, end));
  await server.send({ bytes: 1000 });
  await page.until({ received: 1000 });
  await server.reset();
  const { end: which, reason, cause } = await failed;
  assertEquals([which, reason], ["b", "reset"], String(cause));
  assertMatch(String(cause), /closed before its end of file/);
  connection.close();
  await gateway.stop();
  await page.dispose();
  await server.dispose();
});

function gatewayTo(port: number): Promise<RemoteProgram> {
  return RemoteProgram.start("node", "data_channel_gateway", 0, "127.0.0.1", port);
}

async function reach(connection: ReturnType<typeof connectionOfPage>, port: number): Promise<void> {
  const { sdp: body } = await described(connection, await connection.createOffer());
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
  await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
}
