/** The contract over the two bodies of a `fetch`, and the recipe that joins connections to them. */
import { duplex } from "@webstreams/join";
import { fromNodeReadable, fromNodeWritable } from "@webstreams/join/node";
import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { capabilitiesOf, contract } from "./suite.ts";
import { test } from "../harness.ts";
import { FarEnd } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";
import { dial, text } from "../recipes/peers.ts";
import { Recipe } from "../recipes/recipe.ts";
import { platform } from "../support/environment.ts";

const name = "fetch";

contract(name, capabilitiesOf(name, platform), async (options) => {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const asked = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      if (!ArrayBuffer.isView(chunk)) throw new TypeError("It is no bytes");
      controller.enqueue(chunk);
    },
  });
  const { port } = server.address() as AddressInfo;
  const init = { method: "POST", body: readable, duplex: "half" };
  const fetching = fetch(`http://127.0.0.1:${port}/`, init);
  const [request, response] = await asked;
  response.flushHeaders();
  const theirs = { readable: fromNodeReadable(request), writable: fromNodeWritable(response) };
  return {
    end: duplex((await fetching).body!, writable),
    peer: new FarEnd(new PairWire(theirs), options),
    async dispose() {
      request.socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}, { bulk: 8 * 1024 * 1024, resetIs: "error" });

test("a connection goes through HTTP by the recipe", { on: ["deno", "bun"] }, async () => {
  const server = createServer(async (request, response) => {
    response.flushHeaders();
    response.end(`got ${await text(request)}`);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await using tunnel = new Recipe("fetch_tunnel", 0, `http://127.0.0.1:${port}/`);
  const socket = await dial(await tunnel.port());
  socket.end("hello");
  assertEquals(await text(socket), "got hello");
  assertEquals(await tunnel.line(), "5 bytes there, 9 back");
  await new Promise((resolve) => server.close(resolve));
});
