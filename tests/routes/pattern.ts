/**
 * The bytes that the ends of a scenario send: each depends on its end and its position, so that bytes
 * which are lost, doubled or swapped show wherever they arrive.
 *
 * @module
 */
import { noise } from "../support/parcels.ts";
import type { Side } from "../support/sides.ts";

/** Of different lengths, so that the two ends never send the same for long. */
const tables: Record<Side, Uint8Array> = { a: noise(1_048_583, 1), b: noise(1_048_589, 2) };

/** Fills `target` with what `side` sends from position `at` on. */
export function fill(target: Uint8Array, side: Side, at: number): void {
  for (const [offset, part] of parts(side, at, target.length)) target.set(part, offset);
}

/** The first position at which `bytes` are not what `side` sends from `at` on; -1 if they all are. */
export function differsAt(bytes: Uint8Array, side: Side, at: number): number {
  for (const [offset, part] of parts(side, at, bytes.length)) {
    for (let index = 0; index < part.length; index++) {
      if (bytes[offset + index] !== part[index]) return at + offset + index;
    }
  }
  return -1;
}

function* parts(side: Side, at: number, length: number): Generator<[number, Uint8Array]> {
  const table = tables[side];
  for (let offset = 0; offset < length;) {
    const start = (at + offset) % table.length;
    const part = table.subarray(start, start + length - offset);
    yield [offset, part];
    offset += part.length;
  }
}
