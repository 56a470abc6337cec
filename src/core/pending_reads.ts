// Keeps what a read brings whose reader has gone, for whoever reads the same Go-style object next; for the core
// alone.

import { assertSize } from "../check/refuse.ts";
import type { Awaitable, Reader } from "../ends.ts";

/** The outcome of a read whose reader has gone: a Go-style read cannot be taken back. */
interface Leftover {
  /** Fulfils, never rejects, once the outcome is here; `undefined` if it is. */
  arriving?: Promise<void>;
  /** Bytes, or `null` at the end of file. */
  rest?: Uint8Array<ArrayBuffer> | null;
  failed?: { readonly error: unknown };
}

/** In the order in which they were read. */
const leftovers = new WeakMap<Reader, Leftover[]>();

/** Keeps what `read` brings, which is still under way, into `view`. */
export function leavePendingRead(
  reader: Reader,
  read: Awaitable<unknown>,
  view: Uint8Array<ArrayBuffer>,
): void {
  const leftover: Leftover = {};
  leftover.arriving = Promise.resolve(read).then((count) => {
    if (count === null) return void (leftover.rest = null);
    assertSize("read", "count", count, 0, view.length);
    // The view belongs to somebody who may use it again.
    leftover.rest = view.slice(0, count);
  }).catch((error) => void (leftover.failed = { error })).then(() => leftover.arriving = undefined);
  keep(reader, leftover);
}

/** Keeps bytes that were read, and could not be passed on. */
export function putBack(reader: Reader, bytes: Uint8Array<ArrayBuffer>): void {
  keep(reader, { rest: bytes.slice() });
}

/** As `reader.read(view)`, but gives first what was kept. */
export function readNext(
  reader: Reader,
  view: Uint8Array<ArrayBuffer>,
): Awaitable<number | null> {
  const first = leftovers.get(reader)?.[0];
  if (first === undefined) return reader.read(view);
  const take = () => takeInto(view, first, reader);
  return first.arriving ? first.arriving.then(take) : take();
}

/** Goes before what was kept already: this reader may have been given that, and have gone as well. */
function keep(reader: Reader, leftover: Leftover): void {
  const kept = leftovers.get(reader);
  if (kept) kept.unshift(leftover);
  else leftovers.set(reader, [leftover]);
}

function takeInto(
  view: Uint8Array<ArrayBuffer>,
  leftover: Leftover,
  reader: Reader,
): number | null {
  const { rest, failed } = leftover;
  const count = rest ? Math.min(rest.length, view.length) : 0;
  if (rest) {
    view.set(rest.subarray(0, count));
    leftover.rest = rest.subarray(count);
  }
  if (!leftover.rest?.length) forget(leftover, reader);
  if (failed) throw failed.error;
  return rest === null ? null : count;
}

function forget(leftover: Leftover, reader: Reader): void {
  const kept = leftovers.get(reader)!;
  kept.splice(kept.indexOf(leftover), 1);
  if (kept.length === 0) leftovers.delete(reader);
}
