/**
 * Bytes that both sides of a connection can make and check as they come, without holding them. Making
 * and checking must cost little: hundreds of MiB of them pass in the contract of each adapter.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** A prime, as no two chunks of a size that programs use are then whole periods apart. */
const PERIOD = 262_147;

const periods = new Map<number, Bytes>();

/** Bytes that look random, for ever the same for a seed. */
export function noise(length: number, seed: number): Bytes {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed >>> 0 || 1;
  for (let at = 0; at < words.length; at++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

function periodOf(seed: number): Bytes {
  const period = periods.get(seed) ?? noise(PERIOD, seed);
  periods.set(seed, period);
  return period;
}

/** The bytes of a seed's pattern, from the start on, a part at a time. */
export class PatternStream {
  readonly #period: Bytes;
  #at = 0;

  /** @param seed What tells one pattern from another. */
  constructor(seed: number) {
    this.#period = periodOf(seed);
  }

  /** The next `length` bytes, in memory of their own. */
  next(length: number): Bytes {
    if (this.#at + length < PERIOD) {
      const bytes = this.#period.slice(this.#at, this.#at + length);
      this.#at += length;
      return bytes;
    }
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const part = this.#period.subarray(this.#at, this.#at + length - at);
      bytes.set(part, at);
      at += part.length;
      this.#at = (this.#at + part.length) % PERIOD;
    }
    return bytes;
  }
}

/** The first bytes of a seed's pattern. */
export function pattern(length: number, seed = 1): Bytes {
  return new PatternStream(seed).next(length);
}

/**
 * A rolling hash of a stream of bytes, however it is cut into chunks: two FNV-like lanes of 32 bits that
 * take a word of four bytes at a time, at some GB/s.
 */
export class Fingerprint {
  /** How many bytes there were. */
  bytes = 0;
  #a = 0x811c9dc5 | 0;
  #b = 0x2545f491 | 0;
  /** The bytes of the word that is not whole yet, the first of them lowest. */
  #word = 0;

  /** Takes the next bytes. */
  update(chunk: Uint8Array): void {
    const { length } = chunk;
    let at = 0;
    while (at < length && this.bytes % 4 > 0) this.#takeByte(chunk[at++]);
    const count = (length - at) >>> 2;
    const words = wordsOf(chunk, at, count);
    let a = this.#a;
    let b = this.#b;
    for (let index = 0; index < count; index++) {
      const word = words[index];
      a = Math.imul(a ^ word, 0x01000193);
      b = Math.imul((b << 5 | b >>> 27) ^ word, 0x9e3779b1);
    }
    this.#a = a;
    this.#b = b;
    this.bytes += 4 * count;
    at += 4 * count;
    while (at < length) this.#takeByte(chunk[at++]);
  }

  #takeByte(byte: number): void {
    this.#word |= byte << 8 * (this.bytes % 4);
    this.bytes++;
    if (this.bytes % 4 > 0) return;
    this.#take(this.#word);
    this.#word = 0;
  }

  #take(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193);
    this.#b = Math.imul((this.#b << 5 | this.#b >>> 27) ^ word, 0x9e3779b1);
  }

  /** The hash of all that was taken. */
  get hash(): string {
    // The last word may not be whole, and an end in zeros counts.
    return [this.#a ^ this.#word, this.#b ^ this.bytes]
      .map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

/** `count` words of a chunk from `at` on; in memory of their own where the chunk's are not aligned. */
function wordsOf(chunk: Uint8Array, at: number, count: number): Int32Array {
  const start = chunk.byteOffset + at;
  if (start % 4 === 0) return new Int32Array(chunk.buffer, start, count);
  const bytes = new Uint8Array(4 * count);
  bytes.set(chunk.subarray(at, at + bytes.length));
  return new Int32Array(bytes.buffer);
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

const PART = 64 * 1024;
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
        const part = pattern.next(Math.min(left, PART));
        fingerprint.update(part);
        left -= part.length;
      }
    }
    known.set(key, hash = fingerprint.hash);
  }
  return hash;
}
