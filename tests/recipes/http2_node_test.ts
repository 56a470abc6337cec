/** HTTP/2's CONNECT through the recipe, a process of its own, with the client of `node:http2`. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { request } from "node:http";
import type { Duplex } from "node:stream";
import { fromNodeSocket } from "@webstreams/join/node";
import { pipe } from "@webstreams/join";
import { test } from "../harness.ts";
import { deferred, rejection } from "../support/async.ts";
import { pattern } from "../support/parcels.ts";
import { ask, freePort, lateReplies, TestServer, text } from "./peers.ts";
import { Recipe } from "./recipe.ts";

/** A session with the proxy, for one test. */
class Session implements AsyncDisposable {
  readonly #session: ClientHttp2Session;

  constructor(port: number) {
    this.#session = connect(`http://127.0.0.1:${port}`);
  }

  /** Asks for a tunnel: its stream, and the status of the answer. */
  async tunnel(port: number | string): Promise<[ClientHttp2Stream, number]> {
    const stream = this.#session.request({
      ":method": "CONNECT",
      ":authority": `127.0.0.1:${port}`,
    });
    const [headers] = await once(stream, "response");
    return [stream, headers[":status"]];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#session, "close");
    this.#session.destroy();
    await closed;
  }
}

test("the HTTP/2 proxy hands both half-closes through, on many tunnels of a connection", async () => {
  await using server = lateReplies();
  const target = await server.port();
  await using proxy = new Recipe("connect_proxy_http2", 0);
  await using session = new Session(await proxy.port());
  const replies = Array.from({ length: 20 }, async (_, at) => {
    const [stream, status] = await session.tunnel(target);
    assertEquals(status, 200);
    stream.end(`hello ${at}`);
    assertEquals(await text(stream), `got hello ${at}`);
  });
  await Promise.all(replies);
  assertStringIncludes(await proxy.line(), `127.0.0.1:${target}: `);
});

test("a server that ends first still gets what comes through the HTTP/2 proxy", async () => {
  const { promise: got, resolve } = deferred<string>();
  await using server = new TestServer((socket) => {
    socket.end("greeting");
    text(socket).then(resolve, () => {});
  });
  await using proxy = new Recipe("connect_proxy_http2", 0);
  await using session = new Session(await proxy.port());
  const [stream] = await session.tunnel(await server.port());
  assertEquals(await text(stream), "greeting");
  stream.end("late");
  assertEquals(await got, "late");
});

test("much passes the HTTP/2 proxy, both ways", async () => {
  await using server = new TestServer((socket) => void socket.pipe(socket));
  await using proxy = new Recipe("connect_proxy_http2", 0);
  await using session = new Session(await proxy.port());
  const [stream] = await session.tunnel(await server.port());
  const { readable, writable } = fromNodeSocket(stream);
  const body = pattern(8 * 1024 * 1024, 1);
  const sent = pipe(new Blob([body]).stream(), writable);
  assertEquals(new Uint8Array(await new Response(readable).arrayBuffer()), body);
  assertEquals((await sent).bytes, body.length);
});

test("a page comes to Node's own HTTP client through a tunnel", async () => {
  await using server = new TestServer((socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage"));
  });
  const port = await server.port();
  await using proxy = new Recipe("connect_proxy_http2", 0);
  await using session = new Session(await proxy.port());
  const [stream] = await session.tunnel(port);
  const asked = request({ host: "127.0.0.1", port, createConnection: () => stream as Duplex });
  asked.on("error", () => {}).end();
  const [response] = await once(asked, "response");
  assertEquals(await text(response), "page");
});

test("a target that resets does not look to an HTTP/2 client as if it had ended", async () => {
  await using server = new TestServer((socket) => {
    socket.write("half of it");
    socket.once("data", () => socket.resetAndDestroy());
  });
  await using proxy = new Recipe("connect_proxy_http2", 0);
  await using session = new Session(await proxy.port());
  const [stream] = await session.tunnel(await server.port());
  let ended = false;
  stream.on("end", () => ended = true);
  const failed = once(stream, "error").catch((error) => [error]);
  await once(stream, "data");
  stream.write("now");
  const [error] = await failed;
  // NGHTTP2_INTERNAL_ERROR
  assertEquals([error.code, stream.rstCode, ended], ["ERR_HTTP2_STREAM_ERROR", 2, false]);
});

test("a client that breaks its tunnel off resets the target", async () => {
  const { promise: failed, resolve } = deferred<unknown>();
  await using server = new TestServer((socket) => {
    socket.write("hello");
    socket.on("error", resolve).on("end", () => resolve("a clean end")).resume();
  });
  await using proxy = new Recipe("connect_proxy_http2", 0);
  const port = await proxy.port();
  await using session = new Session(port);
  const [stream] = await session.tunnel(await server.port());
  await once(stream, "data");
  stream.on("error", () => {}).destroy(new Error("enough"));
  assertEquals((await failed as { code?: string }).code, "ECONNRESET");
});

test("a connection that is cut resets the targets of its tunnels", async () => {
  const { promise: failed, resolve } = deferred<unknown>();
  await using server = new TestServer((socket) => {
    socket.on("error", resolve).on("end", () => resolve("a clean end")).resume();
  });
  await using proxy = new Recipe("connect_proxy_http2", 0);
  const session = new Session(await proxy.port());
  const [stream] = await session.tunnel(await server.port());
  stream.on("error", () => {});
  await session[Symbol.asyncDispose]();
  assertEquals((await failed as { code?: string }).code, "ECONNRESET");
});

test("the HTTP/2 proxy says so where it cannot connect, and outlives what is no address", async () => {
  await using proxy = new Recipe("connect_proxy_http2", 0);
  const port = await proxy.port();
  await using session = new Session(port);
  for (const target of [await freePort(), "99999", "port"]) {
    const [stream, status] = await session.tunnel(target);
    stream.on("error", () => {}).resume();
    assertEquals(status, 502, `${target}`);
  }
  assert(await rejection(ask(port, "GET / HTTP/1.1\r\n\r\n").then(() => Promise.reject(port))));
  await using again = new Session(port);
  assertEquals((await again.tunnel("port"))[1], 502);
});
