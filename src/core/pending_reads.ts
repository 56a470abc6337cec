// Keeps the bytes of a Go-style read that could not be taken back, for whoever reads that object next; for
// the core alone.

import type { Awaitable, Reader } from "../ends.ts";
import { assertSize } from "../check/refuse.ts";

/**
 * What a read has brought, or will, of a Go-style source, for somebody who has gone. Such a read cannot be
 * taken back: what it brings is for whoever reads next.
 */
interface Left {
  /** Fulfils once it is here, never rejects; `undefined` if it is. */
  arriving?: Promise<void>;
  /** What is here: bytes, or `null` at the end of file. */
  rest?: Uint8Array<ArrayBuffer> | null;
  failed?: { readonly error: unknown };
}

/** In the order in which it was read. */
const left = new WeakMap<Reader, Left[]>();

/** A read into `view` is still under way. */
export function leaveRead(
  reader: Reader,
  read: PromiseLike<unknown>,
  view: Uint8Array<ArrayBuffer>,
): void {
  const its: Left = {};
  its.arriving = Promise.resolve(read).then((count) => {
    if (count === null) return void (its.rest = null);
    assertSize("read", "count", count, 0, view.length);
    // Whose buffer it is may use it again.
    its.rest = view.slice(0, count);
  }).catch((error) => void (its.failed = { error })).then(() => its.arriving = undefined);
  leave(reader, its);
}

/** Bytes were read that could not be passed on. */
export function putBack(reader: Reader, bytes: Uint8Array<ArrayBuffer>): void {
  leave(reader, { rest: bytes.slice() });
}

/** Reads what was left, and then what comes; in every other way as `reader.read(view)`. */
export function readNext(
  reader: Reader,
  view: Uint8Array<ArrayBuffer>,
): Awaitable<number | null> {
  const its = left.get(reader)?.[0];
  if (its === undefined) return reader.read(view);
  return its.arriving ? its.arriving.then(() => take(its, reader, view)) : take(its, reader, view);
}

/** Its reader may have gone as well, and left this very read before it. */
function leave(reader: Reader, its: Left): void {
  const all = left.get(reader);
  if (all) all.unshift(its);
  else left.set(reader, [its]);
}

function take(its: Left, reader: Reader, view: Uint8Array<ArrayBuffer>): number | null {
  const { rest, failed } = its;
  const count = rest ? Math.min(rest.length, view.length) : 0;
  if (rest) {
    view.set(rest.subarray(0, count));
    its.rest = rest.subarray(count);
  }
  if (!its.rest?.length) forget(its, reader);
  if (failed) throw failed.error;
  return rest === null ? null : count;
}

function forget(its: Left, reader: Reader): void {
  const all = left.get(reader)!;
  all.splice(all.indexOf(its), 1);
  if (all.length === 0) left.delete(reader);
}
