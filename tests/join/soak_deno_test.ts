/** What `deno task bench:long` looks at, small enough for every run: memory does not grow with what passes. */
import { join, type JoinStats } from "@webstreams/join";
import { assertEquals, assertLess } from "@std/assert";
import { test } from "../harness.ts";

const GB = 1e9;
const MIB = 1024 * 1024;
/** What the heap and the allocator may differ by from one look to the next. */
const TOLERANCE_MIB = 24;

test("10 GB over TCP through one join leave memory as it was after the first", {
  timeout: 150_000,
}, async () => {
  const [source, a] = await connected();
  const [b, target] = await connected();
  const stats: JoinStats = {};
  const joined = join(a, b, { stats });
  const sending = send(source, 10 * GB);
  const buffer = new Uint8Array(MIB);
  let received = 0;
  let afterFirst: number | undefined;
  for (let count = await target.read(buffer); count; count = await target.read(buffer)) {
    received += count;
    if (received >= GB) afterFirst ??= residentMib();
  }
  const atEnd = residentMib();
  target.close();
  await sending;
  const { aToB } = await joined;
  assertEquals([received, aToB.bytes], [10 * GB, 10 * GB]);
  assertLess(atEnd - afterFirst!, TOLERANCE_MIB);
});

async function send(conn: Deno.TcpConn, bytes: number): Promise<void> {
  const chunk = new Uint8Array(MIB);
  for (let left = bytes; left > 0;) left -= await conn.write(chunk.subarray(0, left));
  await conn.closeWrite();
  while (await conn.read(chunk) !== null);
  conn.close();
}

async function connected(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return await Promise.all([Deno.connect({ port: listener.addr.port }), listener.accept()]);
}

function residentMib(): number {
  return Deno.memoryUsage().rss / MIB;
}
