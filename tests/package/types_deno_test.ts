/** Deno's own ends pass without a cast; and the ones that can be had here work. */
import { duplex, join, memoryPair, type Pair, pipe, through, unread } from "@webstreams/join";
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";

/** Checked, never run. */
function unchecked(..._bodies: (() => unknown)[]): void {}

declare const conn: Deno.Conn;
declare const tcp: Deno.TcpConn;
declare const tls: Deno.TlsConn;
declare const unix: Deno.UnixConn;
declare const file: Deno.FsFile;
declare const child: Deno.ChildProcess;
declare const stream: WebTransportBidirectionalStream;
declare const transform: TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;
declare const webTransport: WebTransport;

unchecked(
  () => join(conn, conn),
  () => join(tcp, tls),
  () => join(unix, file),
  () => join(tcp, stream),
  () => join(stream, tls),
  () => join(stream, stream),
  () => join(stream, memoryPair()[0]),
  () => join(transform, stream),
  async () => join(await webTransport.createBidirectionalStream(), tcp),
  () => join(tcp, transform),
  () => join(tcp, duplex(child.stdout, child.stdin)),
  () => join(tcp, duplex(Deno.stdin, Deno.stdout)),
  () => join(tcp, duplex(Deno.stdin.readable, Deno.stdout.writable)),
  () => join(tcp, through(tls, new CompressionStream("gzip"), new DecompressionStream("gzip"))),
  () => join(through(stream, transform, transform), unix),
  () =>
    join(tcp, { readable: new CompressionStream("gzip").readable, writable: transform.writable }),
  () => join(tcp, memoryPair()[0]),
  () => join(unread(tcp, new Uint8Array(1)), unread(stream, new Uint8Array(1))),
  () => pipe(file, tcp),
  () => pipe(file.readable, tcp),
  () => pipe(tcp, file),
  () => pipe(Deno.stdin, Deno.stdout),
  () => pipe(child.stdout, Deno.stdout),
  () => pipe(new Response("").body!, file),
);

unchecked(
  // @ts-expect-error: one end
  () => join(tcp),
  // @ts-expect-error: it opens streams, and is none
  () => join(tcp, webTransport),
  // @ts-expect-error: a listener is no end
  () => join(tcp, Deno.listen({ port: 0 })),
);

test("a Deno.TcpConn's own streams are never touched", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [client, server] = await Promise.all([
    Deno.connect({ port: listener.addr.port }),
    listener.accept(),
  ]);
  const touched: string[] = [];
  for (const name of ["readable", "writable"] as const) {
    Object.defineProperty(server, name, {
      get: () => {
        touched.push(name);
        throw new Error("a conn's stream was touched");
      },
    });
  }
  const [user, end] = memoryPair();
  const joined = join(server, end);
  await client.write(new TextEncoder().encode("question"));
  await client.closeWrite();
  assertEquals(await new Response(user.readable).text(), "question");
  const writer = user.writable.getWriter();
  await writer.write(new TextEncoder().encode("answer"));
  await writer.close();
  assertEquals(await new Response(client.readable).text(), "answer");
  assertEquals((await joined).bToA.bytes, 6);
  assertEquals(touched, []);
  listener.close();
});

test("a Deno.FsFile and a child process are ends", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "from the file");
  const cat = new Deno.Command(Deno.execPath(), {
    args: ["eval", "await Deno.stdin.readable.pipeTo(Deno.stdout.writable)"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  using source = await Deno.open(path);
  const target = await Deno.open(path, { append: true });
  const { aToB, bToA } = await join(duplex(source, target), duplex(cat.stdout, cat.stdin) as Pair);
  assertEquals([aToB.bytes, bToA.bytes], [13, 13]);
  assertEquals((await cat.status).success, true);
  assertEquals(await Deno.readTextFile(path), "from the file".repeat(2));
  await Deno.remove(path);
});
