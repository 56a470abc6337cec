// The bytes of a chunk of any type; for the core and for adapters.

import { show, tagOf } from "./show.ts";

const encoder = new TextEncoder();
const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength")!.get!;

/** The bytes in a chunk: what its view or buffer holds, 0 for a chunk that is neither. */
export function byteLengthOf(chunk: unknown): number {
  return ArrayBuffer.isView(chunk) || isBuffer(chunk) ? chunk.byteLength : 0;
}

/** The same of a message, of which a text counts as the UTF-8 that it travels as. */
export function payloadOf(message: unknown): number {
  return typeof message === "string" ? encoder.encode(message).length : byteLengthOf(message);
}

/** The bytes of a chunk that is to be written, in place. */
export function bytesToWrite(chunk: unknown): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(chunk);
  if (bytes) return bytes;
  throw new TypeError(`Only an ArrayBuffer or a view can be written: got ${show(chunk)}`);
}

/**
 * The bytes of a chunk, in place; `undefined` for one that is neither an `ArrayBuffer` nor a view. Never
 * a subclass: the `slice()` of Node's `Buffer` copies nothing.
 */
export function bytesOf(chunk: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (ArrayBuffer.isView(chunk)) {
    if (chunk.constructor === Uint8Array) return chunk as Uint8Array<ArrayBuffer>;
    const { buffer, byteOffset, byteLength } = chunk as ArrayBufferView<ArrayBuffer>;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  return isBuffer(chunk) ? new Uint8Array(chunk) : undefined;
}

/**
 * Tells an `ArrayBuffer` of any realm, as of an iframe, by what only a real one answers to; its tag comes
 * first, since an object that is none would cost an error.
 */
function isBuffer(chunk: unknown): chunk is ArrayBuffer {
  if (typeof chunk !== "object" || tagOf(chunk) !== "ArrayBuffer") return false;
  try {
    byteLength.call(chunk);
    return true;
  } catch {
    return false;
  }
}
