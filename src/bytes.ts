import { show } from "./errors.ts";

/** The bytes in a chunk: what its view or buffer holds, 0 for a chunk that is neither. */
export function byteLengthOf(chunk: unknown): number {
  return ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer ? chunk.byteLength : 0;
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
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (!ArrayBuffer.isView(chunk)) return undefined;
  if (chunk.constructor === Uint8Array) return chunk as Uint8Array<ArrayBuffer>;
  const { buffer, byteOffset, byteLength } = chunk as ArrayBufferView<ArrayBuffer>;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
