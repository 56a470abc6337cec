/**
 * `deno task demo`: 1 GiB through the forwarder over real TCP, every byte checked, and a request that
 * half-closes, once through two native `pipeTo` and once through `join`.
 *
 * Exits with 1 if `join` lost anything.
 */
import { createHash } from "node:crypto";
import { join } from "../mod.ts";
import { forward } from "../src/forward/main.ts";

const TOTAL = 1024 * 1024 * 1024;
const BLOCK = 256 * 1024;
const LOCAL = { hostname: "127.0.0.1", port: 0 };

type Relay = (client: Deno.TcpConn, upstream: Deno.TcpConn) => Promise<unknown>;

const nativePipeTo: Relay = (client, upstream) =>
  Promise.all([
    client.readable.pipeTo(upstream.writable),
    upstream.readable.pipeTo(client.writable),
  ]);

const lost = await transfer() + await converse();
console.log(lost === 0 ? "\njoin lost nothing." : `\njoin lost ${lost} bytes.`);
Deno.exit(lost === 0 ? 0 : 1);

/** A client, the forwarder, an upstream: 1 GiB one way. Returns the bytes that are missing or wrong. */
async function transfer(): Promise<number> {
  using listener = Deno.listen(LOCAL);
  const { port } = listener.addr;
  await using forwarder = await forward({
    listen: "tcp://127.0.0.1:0",
    target: `tcp://127.0.0.1:${port}`,
    once: true,
  });
  console.log(`1 GiB through ${forwarder.address} to ${forwarder.target}\n`);

  const received = receive(listener);
  const started = performance.now();
  const sent = await send(Number(new URL(forwarder.address).port), () => forwarder.stats().aToB);
  const { digest, bytes } = await received;
  const seconds = (performance.now() - started) / 1000;
  await forwarder.finished;

  const { aToB } = forwarder.stats();
  const same = digest === sent;
  console.log(`  sent     ${TOTAL} bytes, SHA-256 ${sent}`);
  console.log(`  arrived  ${bytes} bytes, SHA-256 ${digest} ${same ? "✓" : "✗"}`);
  console.log(`  counted  ${aToB} bytes`);
  console.log(
    `  in ${seconds.toFixed(2)} s, hashing on both sides included: ${rate(TOTAL, seconds)}`,
  );
  return same && aToB === TOTAL ? 0 : Math.max(1, TOTAL - bytes);
}

/** Sends blocks that are all different, so that one too many, too few or in the wrong place shows. */
async function send(port: number, progress: () => number): Promise<string> {
  using conn = await Deno.connect({ ...LOCAL, port });
  const hash = createHash("sha256");
  const block = noise(BLOCK);
  const number = new DataView(block.buffer);
  for (let sent = 0; sent < TOTAL; sent += BLOCK) {
    number.setFloat64(0, sent);
    hash.update(block);
    await writeAll(conn, block);
    if (sent % (TOTAL / 64) === 0) bar(progress() / TOTAL);
  }
  await conn.closeWrite();
  await conn.read(new Uint8Array(1));
  bar(progress() / TOTAL);
  console.log(Deno.stdout.isTerminal() ? "\n" : "");
  return hash.digest("hex");
}

async function receive(listener: Deno.TcpListener): Promise<{ digest: string; bytes: number }> {
  using conn = await listener.accept();
  const hash = createHash("sha256");
  const buffer = new Uint8Array(BLOCK);
  let bytes = 0;
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
    hash.update(buffer.subarray(0, n));
    bytes += n;
  }
  return { digest: hash.digest("hex"), bytes };
}

/** A request that ends before its reply comes. Returns the bytes of it that `join` lost. */
async function converse(): Promise<number> {
  console.log("\nA client sends a request, half-closes, and waits for its reply:\n");
  const request = new TextEncoder().encode("SELECT 42;\n");
  const reply = noise(64 * 1024 * 1024);
  await exchange("two native pipeTo", nativePipeTo, request, reply);
  let counts = "";
  const missing = await exchange(
    "join",
    async (client, upstream) => {
      const { aToB, bToA } = await join(client, upstream);
      counts = `join counted ${aToB.bytes} bytes there and ${bToA.bytes} back`;
    },
    request,
    reply,
  );
  console.log(`\n  ${counts}`);
  return missing;
}

async function exchange(
  name: string,
  relay: Relay,
  request: Uint8Array,
  reply: Uint8Array,
): Promise<number> {
  using upstreams = Deno.listen(LOCAL);
  using relays = Deno.listen(LOCAL);
  const serving = serve(upstreams, reply);
  const relaying = relays.accept().then(async (client) => {
    const upstream = await Deno.connect({ ...LOCAL, port: upstreams.addr.port });
    // What two native `pipeTo` make of a half-close is what this shows.
    await relay(client, upstream).catch(() => {});
  });

  const client = await Deno.connect({ ...LOCAL, port: relays.addr.port });
  const started = performance.now();
  await writeAll(client, request);
  await client.closeWrite();
  const got = new Uint8Array(
    await new Response(client.readable).arrayBuffer().catch(() => new ArrayBuffer(0)),
  );
  const seconds = (performance.now() - started) / 1000;
  const asked = await serving;
  await relaying;

  const whole = got.length === reply.length && got.every((byte, at) => byte === reply[at]);
  console.log(
    `  ${name.padEnd(18)} request ${asked} of ${request.length} bytes, ` +
      `reply ${got.length} of ${reply.length} ${whole ? "✓" : "✗"}, ${rate(got.length, seconds)}`,
  );
  return whole ? 0 : Math.max(1, reply.length - got.length);
}

/** Reads the request to its end, and only then replies. */
async function serve(listener: Deno.TcpListener, reply: Uint8Array): Promise<number> {
  using conn = await listener.accept();
  const buffer = new Uint8Array(1024);
  let asked = 0;
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) asked += n;
  try {
    await writeAll(conn, reply);
    await conn.closeWrite();
    // A close with input unread would reset what is still on its way.
    await conn.read(buffer);
  } catch {
    // The relay has closed: what the client got tells.
  }
  return asked;
}

/** Random bytes, as many at once as the platform gives. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function bar(part: number): void {
  const done = Math.round(part * 40);
  const line = `  ${"█".repeat(done)}${"░".repeat(40 - done)} ${
    (part * 100).toFixed(0).padStart(3)
  } %`;
  if (Deno.stdout.isTerminal()) Deno.stdout.writeSync(new TextEncoder().encode(`\r${line}`));
  else if (part === 1) console.log(line);
}

function rate(bytes: number, seconds: number): string {
  return `${(bytes / seconds / 1e9).toFixed(2)} GB/s`;
}
