/**
 * As much of HTTP/3 (RFC 9114, 9204, 9220) as a WebTransport session takes.
 *
 * @module
 */

/** The types of streams and frames, and of the capsule that closes a session. */
export const CONTROL_STREAM = 0x00;
export const HEADERS = 0x01;
export const DATA = 0x00;
export const SETTINGS = 0x04;
export const WEBTRANSPORT_STREAM = 0x41;
export const CLOSE_SESSION = 0x2843;

type Bytes = Uint8Array<ArrayBuffer>;

/** All parts, one after the other. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A variable-length integer (RFC 9000, section 16). */
export function varint(value: number): Bytes {
  const length = [0x40, 0x4000, 0x40000000].findIndex((bound) => value < bound);
  const power = length === -1 ? 3 : length;
  const bytes = new Uint8Array(1 << power);
  let rest = value;
  for (let at = bytes.length - 1; at >= 0; at--) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[0] |= power << 6;
  return bytes;
}

/** A frame, or a capsule, which looks the same. */
export function frame(type: number, payload: Uint8Array): Bytes {
  return concat(varint(type), varint(payload.length), payload);
}

/** What our control stream says. */
export function controlStream(): Bytes {
  const settings = [
    [0x08, 1], // extended CONNECT
    [0x33, 1], // datagrams
    [0x2b603742, 1], // WebTransport, draft 2
    [0xc671706a, 16], // WebTransport sessions, drafts 7 and later
    [0x14e9cd29, 16], // and 13
  ];
  const payload = concat(...settings.flat().map(varint));
  return concat(varint(CONTROL_STREAM), frame(SETTINGS, payload));
}

/** The header block (QPACK, static table alone) that accepts a session. */
export function accepting(): Bytes {
  return frame(
    HEADERS,
    concat(PREFIX, indexed(25), literal("sec-webtransport-http3-draft", "draft02")),
  );
}

/** The header block that asks for one. */
export function asking(authority: string, path: string): Bytes {
  return frame(
    HEADERS,
    concat(
      PREFIX,
      indexed(15), // :method CONNECT
      indexed(23), // :scheme https
      named(0, authority), // :authority
      named(1, path), // :path
      literal(":protocol", "webtransport"),
      literal("origin", `https://${authority}`),
      literal("sec-webtransport-http3-draft02", "1"),
    ),
  );
}

/** No dynamic table. */
const PREFIX = new Uint8Array([0, 0]);

function indexed(index: number): Bytes {
  return integer(0xc0, 6, index);
}

function named(index: number, value: string): Bytes {
  return concat(integer(0x50, 4, index), text(0x00, 7, value));
}

function literal(name: string, value: string): Bytes {
  return concat(text(0x20, 3, name), text(0x00, 7, value));
}

function text(flags: number, bits: number, value: string): Bytes {
  const bytes = new TextEncoder().encode(value);
  return concat(integer(flags, bits, bytes.length), bytes);
}

/** An integer with a prefix (RFC 7541, section 5.1). */
function integer(flags: number, bits: number, value: number): Bytes {
  const most = (1 << bits) - 1;
  if (value < most) return new Uint8Array([flags | value]);
  const bytes = [flags | most];
  let rest = value - most;
  for (; rest >= 128; rest = rest >> 7) bytes.push(128 | rest & 127);
  bytes.push(rest);
  return new Uint8Array(bytes);
}

/** A stream's code as HTTP/3 has it, and back (draft-ietf-webtrans-http3, section 4.3). */
export function toHttpCode(code: number): number {
  return FIRST_CODE + code + Math.floor(code / 0x1e);
}

export function fromHttpCode(code: number): number {
  const shifted = code - FIRST_CODE;
  return shifted - Math.floor(shifted / 0x1f);
}

const FIRST_CODE = 0x52e4a40fa8db;

/** Takes varints, and whole frames, from bytes that come in parts. */
export class Parser {
  #bytes = new Uint8Array();

  add(bytes: Uint8Array): void {
    this.#bytes = concat(this.#bytes, bytes);
  }

  /** What has not been taken; nothing is left. */
  rest(): Bytes {
    const rest = this.#bytes;
    this.#bytes = new Uint8Array();
    return rest;
  }

  /** The next integer, if all of it is there. */
  varint(): number | undefined {
    const [first] = this.#bytes;
    if (first === undefined) return undefined;
    const length = 1 << (first >> 6);
    if (this.#bytes.length < length) return undefined;
    let value = first & 0x3f;
    for (let at = 1; at < length; at++) value = value * 256 + this.#bytes[at];
    this.#bytes = this.#bytes.subarray(length);
    return value;
  }

  /** The next frame, if all of it is there. */
  frame(): { type: number; payload: Bytes } | undefined {
    const before = this.#bytes;
    const type = this.varint();
    const length = type === undefined ? undefined : this.varint();
    if (type === undefined || length === undefined || this.#bytes.length < length) {
      this.#bytes = before;
      return undefined;
    }
    const payload = this.#bytes.slice(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return { type, payload };
  }
}
