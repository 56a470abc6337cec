import type { Certificate } from "../../tools/certs.ts";
import type { Listening } from "../listen.ts";
import type { Target } from "../protocol.ts";
import { QuicConnection } from "../quic/connection.ts";
import {
  accepting,
  asking,
  CLOSE_SESSION,
  concat,
  controlStream,
  DATA,
  frame,
  fromHttpCode,
  HEADERS,
  Parser,
  toHttpCode,
  varint,
  WEBTRANSPORT_STREAM,
} from "../quic/http3.ts";
import type { QuicStream } from "../quic/stream.ts";
import type { Ended, Wire } from "../wire.ts";

const HOST = "127.0.0.1";
const PROTOCOL = "h3";

/**
 * A far end over one bidirectional stream of a WebTransport session, in HTTP/3 of our own: with the
 * FIN, the RESET_STREAM and the codes that Deno's own WebTransport cannot send (deno#36822).
 */
class WebTransportWire implements Wire {
  readonly #session: Session;
  readonly #stream: QuicStream;
  /** What came together with what says that the stream is the session's. */
  #head: Uint8Array;

  constructor(session: Session, stream: QuicStream, head: Uint8Array) {
    this.#session = session;
    this.#stream = stream;
    this.#head = head;
  }

  async read(): Promise<Uint8Array | Ended> {
    if (this.#head.length > 0) {
      const head = this.#head;
      this.#head = new Uint8Array();
      return head;
    }
    const got = await this.#stream.read();
    if (got instanceof Uint8Array || got.how !== "reset" || got.code === undefined) return got;
    return { ...got, code: fromHttpCode(got.code) };
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#stream.write(bytes);
  }

  async finish(): Promise<void> {
    await this.#stream.finish();
  }

  reset(code = 0): Promise<void> {
    this.#stream.shutdown(toHttpCode(code));
    return Promise.resolve();
  }

  async close(code?: number, reason?: string): Promise<void> {
    await this.#session.close(code, reason);
  }

  dispose(): void {
    this.#session.dispose();
  }
}

/** One session, the only one of its QUIC connection. */
class Session {
  /** Its first bidirectional stream. */
  readonly wire: Promise<Wire>;
  /** How it is opened by the other side, or by us. */
  readonly #isServer: boolean;
  #connection!: QuicConnection;
  #request?: QuicStream;
  #stream?: QuicStream;
  #opened!: (wire: Wire) => void;
  #accepted!: () => void;
  readonly #isAccepted: Promise<void>;
  #settings!: () => void;
  readonly #hasSettings: Promise<void>;

  private constructor(isServer: boolean) {
    this.#isServer = isServer;
    this.wire = new Promise((resolve) => this.#opened = resolve);
    this.#isAccepted = new Promise((resolve) => this.#accepted = resolve);
    this.#hasSettings = new Promise((resolve) => this.#settings = resolve);
  }

  static async listen(certificate: Certificate): Promise<Session> {
    const session = new Session(true);
    session.#connection = await QuicConnection.listen(
      certificate,
      PROTOCOL,
      (stream) => void session.#came(stream),
    );
    void session.#start();
    return session;
  }

  static async connect(url: string): Promise<Session> {
    const { port, host, pathname } = new URL(url);
    const session = new Session(false);
    session.#connection = await QuicConnection.connect(
      Number(port),
      PROTOCOL,
      (stream) => void session.#came(stream),
    );
    await session.#start();
    const request = session.#request = session.#connection.open("bidirectional");
    await session.#hasSettings;
    await request.write(asking(host, pathname));
    void session.#readRequest(request, new Parser());
    await session.#isAccepted;
    // Its stream is known to the server once something has come on it.
    const stream = session.#stream = session.#connection.open("bidirectional");
    await stream.write(concat(varint(WEBTRANSPORT_STREAM), varint(request.id)));
    session.#opened(new WebTransportWire(session, stream, new Uint8Array()));
    return session;
  }

  get port(): number {
    return this.#connection.port;
  }

  /** Closes it with a code and a reason. */
  async close(code = 0, reason = ""): Promise<void> {
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, code);
    const capsule = frame(CLOSE_SESSION, concat(payload, new TextEncoder().encode(reason)));
    await this.#request?.write(frame(DATA, capsule));
    // Firefox ends the connection at that, at times before the FIN is out.
    await this.#request?.finish().catch(() => {});
    this.#stream?.lost({ how: "closed", code, reason });
  }

  dispose(): void {
    this.#connection.close();
  }

  async #start(): Promise<void> {
    await this.#connection.established;
    await this.#connection.open("unidirectional").write(controlStream());
  }

  /** A stream of the other side's: what it is, is in its first bytes. */
  async #came(stream: QuicStream): Promise<void> {
    const parser = new Parser();
    const type = await next(stream, parser, () => parser.varint());
    const isUnidirectional = (stream.id & 2) !== 0;
    if (isUnidirectional || type === undefined) {
      this.#settings();
      return await drain(stream);
    }
    if (type === WEBTRANSPORT_STREAM) {
      await next(stream, parser, () => parser.varint());
      this.#stream = stream;
      this.#opened(new WebTransportWire(this, stream, parser.rest()));
    } else if (this.#isServer) {
      this.#request = stream;
      const rest = parser.rest();
      parser.add(varint(type));
      parser.add(rest);
      await this.#readRequest(stream, parser);
    }
  }

  /** The stream of the CONNECT request: its answer, and what closes the session. */
  async #readRequest(request: QuicStream, parser: Parser): Promise<void> {
    const capsules = new Parser();
    for (;;) {
      const got = await next(request, parser, () => parser.frame());
      if (!got) break;
      if (got.type === HEADERS && this.#isServer) await request.write(accepting());
      if (got.type === HEADERS) this.#accepted();
      if (got.type === DATA) capsules.add(got.payload);
    }
    const { type, payload } = capsules.frame() ?? {};
    const closed = type === CLOSE_SESSION && payload;
    const code = closed ? new DataView(payload.buffer, payload.byteOffset).getUint32(0) : 0;
    const reason = closed ? new TextDecoder().decode(payload.subarray(4)) : "";
    this.#stream?.lost({ how: "closed", code, reason });
  }
}

/** What `take` gives once enough has come; `undefined` if the stream ends before. */
async function next<T>(
  stream: QuicStream,
  parser: Parser,
  take: () => T | undefined,
): Promise<T | undefined> {
  for (;;) {
    const taken = take();
    if (taken !== undefined) return taken;
    const got = await stream.read();
    if (!(got instanceof Uint8Array)) return undefined;
    parser.add(got);
  }
}

async function drain(stream: QuicStream): Promise<void> {
  while (await stream.read() instanceof Uint8Array);
}

/** Waits for one session, and one stream of it. */
export async function listenWebTransport(certificate: Certificate): Promise<Listening> {
  const session = await Session.listen(certificate);
  const { port, wire } = session;
  const certificateHash = await certificateHashOf(certificate.cert);
  return {
    address: { port, url: `https://${HOST}:${port}/`, certificateHash },
    wire,
    close: () => session.dispose(),
  };
}

/** Opens a session, and one stream of it. */
export async function dialWebTransport({ url = "" }: Target): Promise<Wire> {
  return await (await Session.connect(url)).wire;
}

/** SHA-256 of the certificate, in hexadecimal. */
export async function certificateHashOf(pem: string): Promise<string> {
  const base64 = pem.replace(/-----[^-]+-----|\s/g, "");
  const der = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
