/** What a `Deno.Conn` sends after a `pipe` from it was aborted comes to whoever reads next. */
import { join, memoryPair, pipe, type Reader, unread } from "@webstreams/join";
import { assertEquals, assertRejects } from "@std/assert";
import { test } from "../harness.ts";
import { bytes, text } from "../support/bytes.ts";

async function connected(): Promise<[near: Deno.Conn, far: Deno.Conn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  return await Promise.all([listener.accept(), Deno.connect({ hostname, port })]);
}

/** Pipes for a while, as one that waits for a line with a timeout, while the peer says nothing. */
async function timeOut(from: Reader): Promise<void> {
  const options = { preventCancel: true, signal: AbortSignal.timeout(50) };
  await assertRejects(
    () => pipe(from, { write: ({ length }) => length }, options),
    DOMException,
    "",
  );
}

/** One more `pipe`, to the end. */
async function rest(from: Reader): Promise<string> {
  const received: Uint8Array[] = [];
  await pipe(from, { write: (p) => received.push(p.slice()) && p.length });
  return text(...received);
}

test("a conn's next line after a timeout: pipe gets it", async () => {
  const [near, far] = await connected();
  using _near = near;
  using _far = far;
  await timeOut(near);
  await timeOut(near);
  await far.write(bytes("the next line\n"));
  await far.closeWrite();
  assertEquals(await rest(near), "the next line\n");
});

test("a conn's next line after a timeout: unread gives it behind the head", async () => {
  const [near, far] = await connected();
  using _near = near;
  using _far = far;
  await timeOut(near);
  await far.write(bytes("the next line\n"));
  await far.closeWrite();
  assertEquals(await rest(unread(near, bytes("head, "))), "head, the next line\n");
});

test("a conn's next line after a timeout: join passes it on", async () => {
  const [near, far] = await connected();
  using _far = far;
  await timeOut(near);
  await far.write(bytes("the next line\n"));
  await far.closeWrite();
  const [a, b] = memoryPair();
  const joined = join(near, a);
  assertEquals(await new Response(b.readable).text(), "the next line\n");
  await b.writable.close();
  assertEquals((await joined).aToB.bytes, 14);
});

test("a conn's next line after a join that timed out, preventClose: pipe gets it", async () => {
  const [near, far] = await connected();
  using _near = near;
  using _far = far;
  const [a, b] = memoryPair();
  const joined = join(near, a, { preventClose: { a: true }, halfCloseTimeout: 50 });
  await b.writable.close();
  assertEquals((await joined).ended, "timeout");
  await far.write(bytes("the next line\n"));
  await far.closeWrite();
  assertEquals(await rest(near), "the next line\n");
});
