/**
 * Copies a file to another by Node's streams, and prints for each way the milliseconds that it took, as
 * JSON, a line each.
 *
 *     program.js FROM TO
 *
 * @module
 */
import { createReadStream, createWriteStream } from "node:fs";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pipe } from "../../mod.ts";
import { fromNodeReadable, fromNodeWritable } from "../../src/adapters/node/mod.ts";

const [from, to] = process.argv.slice(2) as [string, string];

/** As it is, and in small chunks, of which the first part alone. */
const loads = [
  { title: "chunks of 64 KiB", highWaterMark: 64 * 1024, end: Infinity },
  { title: "chunks of 1 KiB, a sixteenth", highWaterMark: 1024, end: 16 * 1024 * 1024 - 1 },
];

const ways: Readonly<Record<string, (source: Readable, sink: Writable) => Promise<unknown>>> = {
  "stream.pipeline": (source, sink) => pipeline(source, sink),
  "pipe, fromNode*": (source, sink) => pipe(fromNodeReadable(source), fromNodeWritable(sink)),
  "pipeTo, toWeb": (source, sink) => {
    const readable = Readable.toWeb(source) as ReadableStream<Uint8Array<ArrayBuffer>>;
    return readable.pipeTo(Writable.toWeb(sink));
  },
};

for (const { title, ...options } of loads) {
  for (const [way, move] of Object.entries(ways)) {
    const start = performance.now();
    await move(createReadStream(from, options), createWriteStream(to));
    console.log(JSON.stringify({ title, way, ms: performance.now() - start }));
  }
}
