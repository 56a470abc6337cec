/**
 * Bytes that both sides of a connection can make and check as they come, without holding them.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

const BLOCK_WORDS = 16 * 1024;

/** The bytes of `pattern()` in `../support/bytes.ts`, from the start on, a part at a time. */
export class PatternStream {
  #state: number;
  readonly #words = new Uint32Array(BLOCK_WORDS);
  readonly #block = new Uint8Array(this.#words.buffer);
  #at = this.#block.length;

  /** @param seed What tells one pattern from another. */
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** The next `length` bytes, in memory of their own. */
  next(length: number): Bytes {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      if (this.#at === this.#block.length) this.#refill();
      const part = this.#block.subarray(this.#at, this.#at + length - at);
      bytes.set(part, at);
      at += part.length;
      this.#at += part.length;
    }
    return bytes;
  }

  #refill(): void {
    const words = this.#words;
    let state = this.#state;
    for (let at = 0; at < words.length; at++) {
      // xorshift32
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[at] = state;
    }
    this.#state = state;
    this.#at = 0;
  }
}

/** A rolling hash: two FNV-like lanes of 32 bits, which every engine computes at about 1 GB/s. */
export class Fingerprint {
  /** How many bytes there were. */
  bytes = 0;
  #a = 0x811c9dc5 | 0;
  #b = 0x2545f491 | 0;

  /** Takes the next bytes. */
  update(chunk: Uint8Array): void {
    let a = this.#a;
    let b = this.#b;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul((b << 5 | b >>> 27) ^ byte, 0x9e3779b1);
    }
    this.#a = a;
    this.#b = b;
    this.bytes += chunk.length;
  }

  /** The hash of all that was taken. */
  get hash(): string {
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

/** What is to be sent: so many bytes of a pattern. */
export interface Parcel {
  readonly bytes: number;
  /**
   * What tells one pattern from another.
   *
   * @default {1}
   */
  readonly seed?: number;
}

const known = new Map<string, string>();

/** The hash of the parcels, one after the other. */
export function hashOf(...parcels: readonly Parcel[]): string {
  const key = JSON.stringify(parcels.map(({ bytes, seed = 1 }) => [bytes, seed]));
  let hash = known.get(key);
  if (hash === undefined) {
    const fingerprint = new Fingerprint();
    for (const { bytes, seed = 1 } of parcels) {
      const pattern = new PatternStream(seed);
      for (let left = bytes; left > 0;) {
        const part = pattern.next(Math.min(left, 4 * BLOCK_WORDS));
        fingerprint.update(part);
        left -= part.length;
      }
    }
    known.set(key, hash = fingerprint.hash);
  }
  return hash;
}
