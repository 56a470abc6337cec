/** What `join` asks of a pump and no option of `pipe` reaches. */
import { assertEquals } from "@std/assert";
import { BufferPool } from "../../src/buffer_pool.ts";
import { Meter } from "../../src/core/meter.ts";
import { openSink, openSource } from "../../src/core/open.ts";
import { type Failed, Pump } from "../../src/core/pump.ts";
import { Throttle } from "../../src/core/throttle.ts";
import type { Reader, Writer } from "../../src/ends.ts";
import { test } from "../harness.ts";
import { turns } from "../support/async.ts";
import { text } from "../support/bytes.ts";

/** A pump from a Go-style end that gives `parts` and then the end of file. */
function pumpOf(parts: string[], to: Writer | WritableStream<unknown>, throttle?: Throttle) {
  const reader: Reader = {
    read: (p) => {
      const part = parts.shift();
      return part === undefined ? null : new TextEncoder().encodeInto(part, p).written;
    },
    close() {},
  };
  const pool = new BufferPool();
  const meter = new Meter();
  const source = openSource(reader, { pool, permitsReuse: true });
  const pump = new Pump(source, openSink(to, meter), meter, throttle);
  const ends: (Failed | undefined)[] = [];
  pump.start({ onPumpEnd: (failed) => void ends.push(failed) });
  return { pump, pool, ends };
}

test("a sink that is given up takes what waited for its rate along, which no limit counts then", async () => {
  const written: string[] = [];
  const to = { write: (p: Uint8Array<ArrayBuffer>) => written.push(text(p)) && p.length };
  const { pump, pool, ends } = pumpOf(["waiting", "dropped"], to, new Throttle("aToB", 5, 1));
  await turns();
  assertEquals([written, ends], [[], []]);
  pump.discardRest();
  await turns();
  assertEquals([written, ends], [[], [undefined]]);
  pump.release();
  assertEquals(pool.lent, 0);
});

test("a pump that has ended and is stopped does not end again", async () => {
  let errorSink!: (error: unknown) => void;
  const to = new WritableStream({
    start: (controller) => void (errorSink = (error) => controller.error(error)),
  });
  const { pump, ends } = pumpOf([], to);
  await turns();
  assertEquals(ends, [undefined]);
  pump.stop();
  errorSink(new Error("too late"));
  await turns();
  assertEquals(ends, [undefined]);
  pump.release();
});
