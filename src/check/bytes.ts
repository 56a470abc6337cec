// The bytes of a chunk of any type; for everything in src.

import { show, tagOf } from "./show.ts";

const encoder = new TextEncoder();
const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength")!.get!;

/** How many bytes a chunk has; 0 for a chunk that is neither an `ArrayBuffer` nor a view. */
export function byteLengthOf(chunk: unknown): number {
  return ArrayBuffer.isView(chunk) || isBuffer(chunk) ? chunk.byteLength : 0;
}

/** How many bytes a message carries: a text travels as UTF-8. */
export function payloadOf(message: unknown): number {
  return typeof message === "string" ? encoder.encode(message).length : byteLengthOf(message);
}

/** The bytes of a chunk that is to be written, uncopied. Throws if the chunk has none. */
export function bytesToWrite(chunk: unknown): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(chunk);
  if (bytes) return bytes;
  throw new TypeError(`Only an ArrayBuffer or a view can be written: got ${show(chunk)}`);
}

/**
 * The bytes of a chunk, uncopied; `undefined` if the chunk is neither an `ArrayBuffer` nor a view. Always a plain
 * `Uint8Array`: the `slice()` of a subclass may not copy, as that of Node's `Buffer`.
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
 * Whether `chunk` is an `ArrayBuffer`, also that of another realm such as an iframe. Only a real one answers the
 * getter of `byteLength`. The tag is looked at first, as the getter throws for anything else, which is slow.
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
