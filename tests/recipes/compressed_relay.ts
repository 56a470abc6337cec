/**
 * Two relays with compressed bytes between them, on Node, Deno and Bun; one packs what its clients send and
 * unpacks what they get, the other one the reverse:
 *
 *     node compressed_relay.js pack 8080 127.0.0.1 8081
 *     node compressed_relay.js unpack 8081 127.0.0.1 80
 *
 * The platform's `CompressionStream` holds bytes back until it ends, and a conversation over it waits for
 * good. This one flushes after each write.
 *
 * @module
 */
import { join, type Pair, through } from "@webstreams/join";
import { fromNodeReadable, fromNodeSocket, fromNodeWritable } from "@webstreams/join/node";
import { type AddressInfo, connect, createServer } from "node:net";
import process from "node:process";
import type { Transform } from "node:stream";
import { constants, createDeflateRaw, createInflateRaw } from "node:zlib";

const [mode, port, host, target] = process.argv.slice(2);

/** An end whose bytes are compressed on the way to it, and expanded on the way from it. */
function compressed(end: Pair): Pair {
  const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH });
  return through(end, halves(deflate), halves(createInflateRaw()));
}

function halves(transform: Transform): Pair {
  return { readable: fromNodeReadable(transform), writable: fromNodeWritable(transform) };
}

const server = createServer({ allowHalfOpen: true }, async (socket) => {
  const client = fromNodeSocket(socket);
  const upstream = fromNodeSocket(connect({ host, port: Number(target), allowHalfOpen: true }));
  try {
    const { aToB, bToA } = mode === "pack"
      ? await join(client, compressed(upstream))
      : await join(compressed(client), upstream);
    console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
  } catch (error) {
    console.error((error as Error).message);
  }
});

server.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
