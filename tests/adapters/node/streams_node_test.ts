/** Node's one-way streams, real ones: files, HTTP's messages, zlib, the pipes of a process. */
import { duplex, join as joinEnds, memoryPair, pipe } from "@webstreams/join";
import { fromNodeReadable, fromNodeWritable } from "@webstreams/join/node";
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import { test } from "../../harness.ts";
import { deferred, rejection } from "../../support/async.ts";
import { bytes, concat } from "../../support/bytes.ts";
import { pattern } from "../../support/parcels.ts";

const MIB = 1024 * 1024;

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "join-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** A server for one test, whose connections it ends. */
async function serving(serve: Serve, body: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer(serve).on("connection", (socket: Socket) => sockets.add(socket));
  server.on("clientError", (_error, socket) => void socket.destroy());
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    await body((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A source that never has enough, and one that has nothing; both tell when they are cancelled. */
function endless(chunk?: Uint8Array<ArrayBuffer>) {
  const { promise: cancelled, resolve } = deferred<unknown>();
  const source = {
    pulled: 0,
    cancelled,
    stream: new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (!chunk) return;
        source.pulled += chunk.length;
        controller.enqueue(chunk);
      },
      cancel: resolve,
    }, { highWaterMark: 0 }),
  };
  return source;
}

test("a file is piped to a file", () =>
  inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    const content = pattern(3 * MIB + 1, 1);
    await writeFile(from, content);
    const [input, output] = [createReadStream(from), createWriteStream(to)];
    const closed = Promise.all([once(input, "close"), once(output, "close")]);
    const result = await pipe(fromNodeReadable(input), fromNodeWritable(output));
    assertEquals(result.bytes, content.length);
    assertEquals(new Uint8Array(await readFile(to)), content);
    await closed;
    const left = ["readable", "end", "finish", "data", "drain"].map((event) => [
      input.listenerCount(event),
      output.listenerCount(event),
    ]);
    assertEquals(left.flat().reduce((sum, count) => sum + count), 0);
  }));

test("a file that is not there fails the pipe, and aborts its sink", () =>
  inFolder(async (folder) => {
    const { promise: aborted, resolve } = deferred<unknown>();
    const source = fromNodeReadable(createReadStream(join(folder, "none")));
    const error = await rejection(pipe(source, new WritableStream({ abort: resolve })));
    assertEquals((error as { code?: string }).code, "ENOENT");
    assertEquals(await aborted, error);
  }));

test("a file that cannot be written fails the pipe, and cancels its source", () =>
  inFolder(async (folder) => {
    const source = endless(pattern(1000));
    const error = await rejection(pipe(source.stream, fromNodeWritable(createWriteStream(folder))));
    assertEquals((error as { code?: string }).code, "EISDIR");
    assertEquals(await source.cancelled, error);
  }));

test("a body is echoed by an HTTP server, both ways at once", () =>
  serving((request, response) => {
    const message = duplex(fromNodeReadable(request), fromNodeWritable(response));
    const [echo, end] = memoryPair();
    void pipe(echo.readable, echo.writable);
    void joinEnds(message, end);
  }, async (port) => {
    const body = pattern(2 * MIB, 2);
    const headers = { connection: "close" };
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body, headers });
    assertEquals(new Uint8Array(await response.arrayBuffer()), body);
  }));

test("a message of HTTP's client is an end as well", () =>
  serving((request, response) => void request.pipe(response), async (port) => {
    const asked = request({ port, host: "127.0.0.1", method: "POST", agent: false });
    const body = pattern(MIB, 3);
    const writing = pipe(new Blob([body]).stream(), fromNodeWritable(asked));
    const [answer] = await once(asked, "response") as [IncomingMessage];
    const came = new Uint8Array(await new Response(fromNodeReadable(answer)).arrayBuffer());
    assertEquals([came, (await writing).bytes], [body, MIB]);
  }));

test("a client that does not read stops the source of its response", () => {
  const source = endless(pattern(64 * 1024));
  return serving((_request, response) => {
    pipe(source.stream, fromNodeWritable(response)).catch(() => {});
  }, async (port) => {
    const client = connect(port, "127.0.0.1");
    client.pause().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let before = -1;
    while (before !== source.pulled) {
      before = source.pulled;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assert(source.pulled > 0 && source.pulled < 40 * MIB, `${source.pulled} bytes were taken`);
    client.destroy();
    assertInstanceOf(await source.cancelled, Error);
  });
});

test("a client that leaves cancels a source that has nothing to say", () => {
  const source = endless();
  return serving((_request, response) => {
    response.flushHeaders();
    pipe(source.stream, fromNodeWritable(response)).catch(() => {});
  }, async (port) => {
    const client = connect(port, "127.0.0.1");
    client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(client, "data");
    client.destroy();
    assertInstanceOf(await source.cancelled, Error);
  });
});

test("a body that is cut short is a failure and no end", () => {
  const { promise: failed, resolve } = deferred<unknown>();
  return serving((request) => {
    resolve(rejection(pipe(fromNodeReadable(request), new WritableStream())));
  }, async (port) => {
    const client = connect(port, "127.0.0.1");
    client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nnot all of it");
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.destroy();
    assertInstanceOf(await failed, Error);
  });
});

for (const version of ["1.0", "1.1"]) {
  test(`an aborted response does not look whole to a client of HTTP/${version}`, () =>
    serving(async (_request, response) => {
      const writable = fromNodeWritable(response);
      const writer = writable.getWriter();
      await writer.write(bytes("half of"));
      await once(response, "never", { signal: AbortSignal.timeout(50) }).catch(() => {});
      await writer.abort(new Error("enough")).catch(() => {});
    }, async (port) => {
      const client = connect(port, "127.0.0.1");
      let [got, failed] = ["", ""];
      client.on("data", (chunk: Uint8Array) => got += new TextDecoder().decode(chunk));
      client.on("error", ({ code }: { code?: string }) => failed = code!);
      client.write(`GET / HTTP/${version}\r\nHost: x\r\n\r\n`);
      await new Promise((resolve) => client.once("close", resolve));
      assertStringIncludes(got, "half of");
      // Chunks have an end of their own; without it there is nothing but the reset.
      if (version === "1.1") assert(!got.endsWith("0\r\n\r\n"), got);
      else assertEquals(failed, "ECONNRESET");
    }));
}

test("zlib's streams compress and expand", async () => {
  const body = pattern(MIB, 4);
  const [gzip, gunzip] = [createGzip(), createGunzip()];
  const [packing, moving] = [
    pipe(new Blob([body]).stream(), fromNodeWritable(gzip)),
    pipe(fromNodeReadable(gzip), fromNodeWritable(gunzip)),
  ];
  const got = await new Response(fromNodeReadable(gunzip)).arrayBuffer();
  assertEquals(new Uint8Array(got), body);
  assertEquals((await packing).bytes, MIB);
  assert((await moving).bytes > 1000);
});

test("what zlib cannot expand fails both its halves", async () => {
  const gunzip = createGunzip();
  const reading = rejection(pipe(fromNodeReadable(gunzip), new WritableStream()));
  const writing = rejection(pipe(endless(pattern(100)).stream, fromNodeWritable(gunzip)));
  for (const error of [await reading, await writing]) {
    assertEquals((error as { code?: string }).code, "Z_DATA_ERROR");
  }
});

test("the pipes of a process are an end", async () => {
  const child = spawn("cat", { stdio: ["pipe", "pipe", "inherit"] });
  const [user, end] = memoryPair();
  const pipes = duplex(fromNodeReadable(child.stdout), fromNodeWritable(child.stdin));
  const joined = joinEnds(end, pipes);
  const body = pattern(MIB, 5);
  const written = pipe(new Blob([body]).stream(), user.writable);
  assertEquals(new Uint8Array(await new Response(user.readable).arrayBuffer()), body);
  await written;
  const { aToB, bToA } = await joined;
  assertEquals([aToB.bytes, bToA.bytes], [MIB, MIB]);
});

test("a stream that is closed before its end fails, whenever that was", async () => {
  const { promise: pulled, resolve } = deferred<void>();
  const readables = [new PassThrough(), new Readable({ read: () => resolve() })];
  for (const readable of readables) {
    if (readable instanceof PassThrough) readable.destroy();
    const failed = rejection(pipe(fromNodeReadable(readable), new WritableStream()));
    if (!readable.destroyed) {
      await pulled;
      readable.destroy();
    }
    assertEquals((await failed as { code?: string }).code, "ERR_STREAM_PREMATURE_CLOSE");
  }
  const writable = new Writable({ write() {} });
  const source = endless();
  const failed = rejection(pipe(source.stream, fromNodeWritable(writable)));
  writable.destroy();
  assertEquals((await failed as { code?: string }).code, "ERR_STREAM_PREMATURE_CLOSE");
  assertEquals(await source.cancelled, await failed);
  const late = rejection(pipe(endless().stream, fromNodeWritable(writable)));
  assertEquals((await late as { code?: string }).code, "ERR_STREAM_PREMATURE_CLOSE");
});

test("a stream that has ended is one of no bytes", async () => {
  const readable = Readable.from([bytes("gone")], { objectMode: false });
  assertEquals(await new Response(fromNodeReadable(readable)).text(), "gone");
  assertEquals((await pipe(fromNodeReadable(readable), new WritableStream())).bytes, 0);
});

test("a write that waits is given up at once by an abort", async () => {
  const { promise: writing, resolve } = deferred<void>();
  const writable = new Writable({ write: () => resolve() });
  const writer = fromNodeWritable(writable).getWriter();
  const written = rejection(writer.write(bytes("never")));
  await writing;
  const enough = new Error("enough");
  await writer.abort(enough);
  assertEquals([await written, writable.destroyed], [enough, true]);
});

test("a join is torn down whose process takes nothing", async () => {
  const child = spawn("sleep", ["1000"], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const pipes = duplex(fromNodeReadable(child.stdout), fromNodeWritable(child.stdin), {
    close: (reason) => void (reason && child.kill()),
  });
  const [user, end] = memoryPair();
  const leaving = new AbortController();
  const joined = joinEnds(end, pipes, { signal: leaving.signal });
  const source = endless(pattern(64 * 1024));
  const writing = rejection(pipe(source.stream, user.writable));
  let before = -1;
  while (before !== source.pulled) {
    before = source.pulled;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert(before < 40 * MIB, `${before} bytes were taken`);
  const enough = new Error("enough");
  leaving.abort(enough);
  assertEquals(await rejection(joined), enough);
  await writing;
  await exited;
  assertEquals([child.stdin.destroyed, pipes.writable.locked], [true, false]);
});

test("nothing is read ahead of its own buffer", async () => {
  let given = 0;
  const readable = new Readable({
    highWaterMark: 1000,
    read() {
      given += 100;
      this.push(new Uint8Array(100));
    },
  });
  const reader = fromNodeReadable(readable).getReader();
  const first = await reader.read();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve));
  assert(given <= first.value!.length + 1100, `${given} bytes were read`);
  await reader.cancel();
  assertEquals(readable.destroyed, true);
});

test("bytes come as they were, in whatever way they were asked for", async () => {
  const parts = [pattern(10, 1), pattern(70_000, 2), pattern(1, 3)];
  const stream = fromNodeReadable(Readable.from(parts, { objectMode: false }));
  const got: Uint8Array<ArrayBuffer>[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) got.push(next.value);
  assertEquals(new Uint8Array(concat(got)), concat(parts));
});

test("what gives or takes no bytes is refused", async () => {
  const refusals: [() => unknown, string][] = [
    [() => fromNodeReadable(Readable.from([1])), "must yield bytes, not objects or strings"],
    [
      () => fromNodeReadable(new PassThrough({ encoding: "utf8" })),
      "must yield bytes, not objects or strings",
    ],
    [
      () => fromNodeWritable(new Writable({ objectMode: true })),
      "must take bytes, not objects",
    ],
    [() => fromNodeWritable(new PassThrough().end()), "must not have been ended"],
  ];
  for (const [make, rule] of refusals) {
    const error = await rejection(Promise.resolve().then(make));
    assertInstanceOf(error, TypeError);
    assertStringIncludes(error.message, rule);
  }
});
