/** A file as an end: it has no `closeWrite`, and its end of file comes at once. */
import { join, type JoinResult } from "@webstreams/join";
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { pattern } from "../support/parcels.ts";

interface Uploaded {
  readonly joined: JoinResult;
  /** What the client of the connection has read. */
  readonly received: Uint8Array;
  /** What is in the file in the end. */
  readonly stored: Uint8Array;
}

/** Joins a connection to a file with `content`, whose client sends `data`. */
async function upload(content: string, data: Uint8Array<ArrayBuffer>): Promise<Uploaded> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, content);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dialling = Deno.connect({ port: (listener.addr as Deno.NetAddr).port });
  const conn = await listener.accept();
  const client = await dialling;
  const joined = join(conn, await Deno.open(path, { read: true, write: true }));
  // Nothing is sent before the end of the file has been reached.
  const received = new Uint8Array(await new Response(untilEnd(client)).arrayBuffer());
  for (let sent = 0; sent < data.length;) sent += await client.write(data.subarray(sent));
  await client.closeWrite();
  const result = await joined;
  client.close();
  const stored = await Deno.readFile(path);
  await Deno.remove(path);
  return { joined: result, received, stored };
}

/** What a connection sends, read without closing it. */
function untilEnd(conn: Deno.Conn): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(1024);
      const count = await conn.read(buffer);
      if (count === null) controller.close();
      else controller.enqueue(buffer.subarray(0, count));
    },
  });
}

test("what is uploaded into an empty file is in it", async () => {
  const data = pattern(100_000);
  const { joined, received, stored } = await upload("", data);
  assertEquals([joined.ended, joined.aToB.bytes, joined.bToA.bytes], ["eof", data.length, 0]);
  assertEquals(received.length, 0);
  assertEquals(stored, data);
});

test("what a file has is sent, and what comes is written behind it", async () => {
  const data = pattern(100_000);
  const { joined, received, stored } = await upload("before ", data);
  assertEquals([joined.ended, joined.aToB.bytes, joined.bToA.bytes], ["eof", data.length, 7]);
  assertEquals(new TextDecoder().decode(received), "before ");
  assertEquals(new TextDecoder().decode(stored.subarray(0, 7)), "before ");
  assertEquals(stored.subarray(7), data);
});
