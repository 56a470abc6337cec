/** How a stream of `node:http2` ends, where that is not as a socket does. */
import { join, JoinError, memoryPair, pipe } from "@webstreams/join";
import { fromNodeSocket, fromNodeWritable } from "@webstreams/join/node";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { once } from "node:events";
import { connect, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "../../harness.ts";
import { rejection } from "../../support/async.ts";
import { bytes } from "../../support/bytes.ts";

const INTERNAL_ERROR = 2;
const CANCEL = 8;

for (const ended of [false, true]) {
  const when = ended ? "after we have ended" : "before we have ended";
  test(`a client that cancels its upload ${when} does not look as if it had ended`, async () => {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const accepted = once(server, "stream");
    const leaving = new AbortController();
    const upload = session.request({ ":method": "POST" }, { signal: leaving.signal });
    upload.on("error", () => {}).resume();
    upload.write("half of");
    const [stream] = await accepted as [ServerHttp2Stream];
    stream.respond({ ":status": 200 });

    const [user, end] = memoryPair();
    const joined = join(end, fromNodeSocket(stream));
    if (ended) {
      await user.writable.getWriter().close();
      await once(upload, "end");
    } else {
      await user.writable.getWriter().write(bytes("go on"));
    }
    const reader = user.readable.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "half of");
    leaving.abort();
    const error = await rejection(joined);
    assertInstanceOf(error, JoinError);
    const { code, rstCode } = error.cause as { code?: string; rstCode?: number };
    assertEquals([error.reason, error.end, code, rstCode], ["reset", "b", "ECONNRESET", CANCEL]);
    assertInstanceOf(await rejection(reader.read()), Error);

    session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
}

test("a response whose pipe is aborted does not look as if it had ended", async () => {
  const leaving = new AbortController();
  const server = createServer((_request, response) => {
    response.write("half of");
    const source = new ReadableStream<Uint8Array<ArrayBuffer>>();
    pipe(source, fromNodeWritable(response), { signal: leaving.signal }).catch(() => {});
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const download = session.request().on("error", () => {});
  const closed = new Promise((resolve) => download.once("close", resolve));
  assertEquals(String((await once(download, "data"))[0]), "half of");
  leaving.abort(new Error("enough"));
  download.resume();
  await closed;
  assertEquals(download.rstCode, INTERNAL_ERROR);
  session.destroy();
  await new Promise((resolve) => server.close(resolve));
});
