/** A WebSocket of Deno's server, which opens only once its response is out. */
import { join } from "@webstreams/join";
import { fromWebSocket, type WebSocketMessageOptions } from "@webstreams/join/websocket";
import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { rejection } from "../../support/async.ts";

const over = (error?: Error) => ({
  readable: new ReadableStream({
    start: (controller) => error ? controller.error(error) : controller.close(),
  }),
  writable: new WritableStream(),
  halfClose: false,
});

/** The code that a client is told whose WebSocket is joined, before it is open, to what fails, or has ended. */
async function told(error?: Error, options?: WebSocketMessageOptions): Promise<number> {
  let joined: Promise<unknown> | undefined;
  const server = Deno.serve({ port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    const joining = options
      ? join(fromWebSocket(socket, options), { ...over(error), messages: true })
      : join(fromWebSocket(socket), over(error));
    joined = error ? rejection(joining) : joining;
    return response;
  });
  const client = new WebSocket(`ws://localhost:${server.addr.port}`);
  const { code } = await new Promise<CloseEvent>((resolve) => client.onclose = resolve);
  await joined;
  await server.shutdown();
  return code;
}

for (
  const [kind, options, failed] of [["bytes", undefined, 4000], [
    "messages",
    { messages: true },
    1011,
  ]] as const
) {
  test(`a client hears of a failure before its WebSocket was open (${kind})`, async () => {
    assertEquals(await told(new Error("gone"), options), failed);
  });

  test(`a client hears of an end before its WebSocket was open (${kind})`, async () => {
    assertEquals(await told(undefined, options), 1000);
  });
}
