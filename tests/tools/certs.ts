/**
 * A certificate for tests of TLS, made on the spot: self-signed (ECDSA P-256), for `localhost`,
 * 127.0.0.1 and ::1.
 *
 * @module
 */

/** A certificate and its private key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Object identifiers, encoded. */
const oids = {
  ecdsaWithSha256: bytes(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02),
  commonName: bytes(0x55, 0x04, 0x03),
  subjectAltName: bytes(0x55, 0x1d, 0x11),
};
const DAY_MS = 24 * 60 * 60 * 1000;

/** Makes a certificate that is valid for a week. */
export async function selfSigned(): Promise<Certificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
  const privateKey = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));

  const signing = sequence(der(0x06, oids.ecdsaWithSha256));
  const name = sequence(der(0x31, sequence(der(0x06, oids.commonName), text(0x0c, "localhost"))));
  const now = Date.now();
  const names = sequence(
    text(0x82, "localhost"),
    der(0x87, bytes(127, 0, 0, 1)),
    der(0x87, bytes(...new Array(15).fill(0), 1)),
  );
  const content = sequence(
    der(0xa0, integer(bytes(2))),
    integer(crypto.getRandomValues(new Uint8Array(8))),
    signing,
    name,
    sequence(time(now - DAY_MS), time(now + 6 * DAY_MS)),
    name,
    publicKey,
    der(0xa3, sequence(sequence(der(0x06, oids.subjectAltName), der(0x04, names)))),
  );

  const hashed = { name: "ECDSA", hash: "SHA-256" };
  const pair = new Uint8Array(await crypto.subtle.sign(hashed, keys.privateKey, content));
  const signature = sequence(integer(pair.slice(0, 32)), integer(pair.slice(32)));
  const cert = sequence(content, signing, der(0x03, bytes(0), signature));
  return { cert: pem("CERTIFICATE", cert), key: pem("PRIVATE KEY", privateKey) };
}

/** Tag, length, value (X.690, distinguished encoding rules). */
function der(tag: number, ...values: Bytes[]): Bytes {
  const length = values.reduce((sum, value) => sum + value.length, 0);
  const head = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  const whole = new Uint8Array(head.length + length);
  whole.set(head);
  let at = head.length;
  for (const value of values) {
    whole.set(value, at);
    at += value.length;
  }
  return whole;
}

function sequence(...values: Bytes[]): Bytes {
  return der(0x30, ...values);
}

/** An unsigned integer: without zeros in front, but for one where it would look negative. */
function integer(value: Bytes): Bytes {
  const first = value.findIndex((byte) => byte !== 0);
  const digits = value.slice(first === -1 ? value.length - 1 : first);
  return digits[0] < 0x80 ? der(0x02, digits) : der(0x02, bytes(0), digits);
}

function text(tag: number, value: string): Bytes {
  return der(tag, new TextEncoder().encode(value));
}

function time(ms: number): Bytes {
  return text(0x17, new Date(ms).toISOString().slice(2).replace(/[-:T]|\.\d+/g, ""));
}

function bytes(...values: number[]): Bytes {
  return new Uint8Array(values);
}

function pem(label: string, content: Bytes): string {
  const base64 = btoa(String.fromCharCode(...content)).replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
}
