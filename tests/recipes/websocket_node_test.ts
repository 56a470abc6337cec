/** The relays from WebSockets, on Deno and on Bun, each a process of its own. */
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { delay } from "../support/async.ts";
import { runtime } from "../support/environment.ts";
import { TestServer, text } from "./peers.ts";
import { Recipe } from "./recipe.ts";

const isDeno = runtime === "deno";
const name = isDeno ? "upgrade_websocket" : "websocket_bun";
const on = ["deno", "bun"] as const;

/** The relay in front of a server. */
async function relayTo(server: TestServer): Promise<Recipe> {
  return new Recipe(
    name,
    0,
    ...isDeno ? ["127.0.0.1", await server.port()] : [await server.path()],
  );
}

/** A client, connected, and all that it is told. */
async function dial(relay: Recipe) {
  const socket = new WebSocket(`ws://127.0.0.1:${await relay.port()}/`);
  socket.binaryType = "arraybuffer";
  const told: string[] = [];
  socket.addEventListener("message", ({ data }) => told.push(new TextDecoder().decode(data)));
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener("close", ({ code }) => resolve(code))
  );
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  return { socket, told, closed };
}

test(`${name} hands on what is said, and the client's end`, { on }, async () => {
  await using server = new TestServer((socket) => {
    text(socket).then((all) => socket.end(`got ${all}`));
    socket.write("hello");
  });
  await using relay = await relayTo(server);
  const { socket, told, closed } = await dial(relay);
  while (told.join("") !== "hello") await delay(5);
  socket.send("one, ");
  socket.send("two");
  socket.close(1000);
  assertEquals(await closed, 1000);
  // The answer to it comes too late: a WebSocket closes whole.
  assertEquals([await relay.line(), told], ["8 bytes there, 5 back", ["hello"]]);
});

test(`${name} tells a client of the server's last word and its end`, { on }, async () => {
  await using server = new TestServer((socket) => void socket.resume().end("bye"));
  await using relay = await relayTo(server);
  const { told, closed } = await dial(relay);
  assertEquals([await closed, told], [1000, ["bye"]]);
});

test(`${name} tells so one that goes on sending as well`, { on }, async () => {
  await using server = new TestServer((socket) => {
    socket.once("data", () => socket.pause().end("bye", () => socket.destroy()));
  });
  await using relay = await relayTo(server);
  const { socket, told, closed } = await dial(relay);
  // Slowly: a message that comes behind its own close Deno takes for an error, and breaks off (2.9).
  const type = () => socket.readyState === WebSocket.OPEN && socket.send("still there?");
  type();
  const typing = setInterval(type, 100);
  const code = await closed;
  clearInterval(typing);
  assertEquals([code, told], [1000, ["bye"]]);
});
