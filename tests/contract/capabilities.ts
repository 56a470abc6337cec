/**
 * What each adapter can do on each runtime. The contract suite holds all of it to be so, and what is
 * missing to be missing, so that it is noticed when a platform learns it. The table of ends is made of
 * it: `deno run -A tests/contract/table.ts`.
 *
 * @module
 */

/** What an end can do on a platform. */
export interface Capabilities {
  /** It is a pair of streams; else it is Go-style. */
  readonly streams: boolean;
  /** Its readable gives BYOB readers. */
  readonly byob: boolean;
  /** Our end of file reaches the peer, whose bytes still reach us. */
  readonly halfCloseOut: boolean;
  /** The peer's end of file reaches us, and our bytes still reach the peer. */
  readonly halfCloseIn: boolean;
  /** Its end of file fails a write of ours that waits, unless bytes came before it: a platform's bug. */
  readonly halfCloseInWhileWriting?: "fails";
  /**
   * The peer's reset is told from its end of file; `unread`: only with something unread at the peer, as
   * nothing else resets such a connection.
   */
  readonly resetSeen: boolean | "unread";
  /** A reset while a write waits ends the page: an engine's bug. */
  readonly resetWhileWriting?: "crashes";
  /** What the peer has sent before its reset can still be read, as by TCP; others drop it. */
  readonly lastWords: boolean;
  /** As what the peer sees an abort: a reset, a clean end of file, the end of the session, nothing. */
  readonly abortShows: "reset" | "eof" | "closed" | "open";
  /** A code that the peer fails with reaches us. */
  readonly codeIn: boolean;
  /** A code that we abort with reaches the peer. */
  readonly codeOut: boolean;
  /** Bytes that are taken at most while the peer does not read; `false`: all there are. */
  readonly backpressureOut: number | false;
  /** What the peer of an end of messages can be told by a close: all that RFC 6455 has, or what a page may. */
  readonly closeCodes?: "all" | "page";
  /** Our close may be told as a failure although the peer has answered it: a platform's bug, on a busy machine. */
  readonly closeAnswered?: "unsurely";
  /** Codes of the peer's close that the platform takes for a connection that was cut off. */
  readonly closesUnheard?: readonly number[];
  /** Its readable cannot be unlocked while a read is pending: a platform's gap. */
  readonly unlocksInRead?: false;
  /**
   * Bytes that the peer can send at most while we do not read; `false`: any number, so that the join
   * fails once too many have come.
   */
  readonly backpressureIn: number | false;
}

const MIB = 1024 * 1024;

/** Of a socket: what Linux takes by itself (`tcp_rmem` 32 MiB and `tcp_wmem` 4 MiB), and some buffers. */
const SOCKET_BYTES = 40 * MIB;

/** The same where the peer's TLS is carried by a second and a third connection, so that it can be reset. */
const CARRIED_BYTES = 3 * SOCKET_BYTES;

const memory: Capabilities = {
  streams: true,
  byob: true,
  halfCloseOut: true,
  halfCloseIn: true,
  resetSeen: true,
  lastWords: false,
  abortShows: "reset",
  codeIn: true,
  codeOut: true,
  backpressureOut: 4 * MIB,
  backpressureIn: 4 * MIB,
};

const denoConn: Capabilities = {
  streams: false,
  byob: false,
  halfCloseOut: true,
  halfCloseIn: true,
  resetSeen: true,
  lastWords: true,
  // `Deno.Conn` has no reset.
  abortShows: "eof",
  codeIn: false,
  codeOut: false,
  backpressureOut: SOCKET_BYTES,
  backpressureIn: SOCKET_BYTES,
};

const bunSocket: Capabilities = {
  streams: true,
  byob: false,
  halfCloseOut: true,
  halfCloseIn: true,
  resetSeen: true,
  lastWords: true,
  abortShows: "reset",
  codeIn: false,
  codeOut: false,
  backpressureOut: SOCKET_BYTES,
  backpressureIn: SOCKET_BYTES,
};

/** Of `node:net`, wherever it is. */
const nodeSocket: Capabilities = {
  streams: true,
  byob: false,
  halfCloseOut: true,
  halfCloseIn: true,
  resetSeen: true,
  lastWords: true,
  abortShows: "reset",
  codeIn: false,
  codeOut: false,
  backpressureOut: SOCKET_BYTES,
  backpressureIn: SOCKET_BYTES,
};

/**
 * Deno 2.9 takes an end of file before any byte for a broken connection, and fails what waits to be written
 * (`poll_tcp_handle` in libs/core/uv_compat/tcp.rs). It is done below `node:net`, out of an adapter's reach.
 */
const denoNodeSocket: Capabilities = { ...nodeSocket, halfCloseInWhileWriting: "fails" };

const nodeTlsSocket: Capabilities = {
  ...nodeSocket,
  backpressureOut: CARRIED_BYTES,
  backpressureIn: CARRIED_BYTES,
};

const nodeUnixSocket: Capabilities = { ...nodeSocket, resetSeen: "unread", abortShows: "eof" };

/** A failed write destroys both. */
const nodeStreams: Capabilities = { ...nodeSocket, lastWords: false };

/** An abort is an INTERNAL_ERROR, whatever the reason. */
const nodeHttp2: Capabilities = nodeSocket;

/**
 * The two bodies of a request with `duplex: "half"`. Node's `fetch` has the response only once the request has
 * ended. Bun's is as good as Deno's, but the far side is not: its `node:http` tells a server of no end of a
 * request whose response has ended (1.4).
 */
const denoFetch: Capabilities = { ...nodeSocket, byob: true, lastWords: false };

const webTransport: Capabilities = {
  streams: true,
  byob: true,
  halfCloseOut: true,
  halfCloseIn: true,
  resetSeen: true,
  lastWords: false,
  abortShows: "reset",
  codeIn: true,
  codeOut: true,
  backpressureOut: SOCKET_BYTES,
  backpressureIn: SOCKET_BYTES,
};

/** Deno 2.9 sends no FIN, no RESET_STREAM, no STOP_SENDING (deno#36822); codes it knows as text alone. */
const denoWebTransport: Capabilities = {
  ...webTransport,
  halfCloseOut: false,
  abortShows: "open",
  codeIn: false,
  codeOut: false,
};

/** Of an abort it sends a FIN. */
const denoQuic: Capabilities = { ...denoWebTransport, halfCloseOut: true, abortShows: "eof" };

const workerdSocket: Capabilities = {
  streams: true,
  byob: true,
  halfCloseOut: true,
  halfCloseIn: true,
  resetSeen: true,
  lastWords: false,
  // After an `abort()` not even `close()` ends the connection before the request is over.
  abortShows: "open",
  codeIn: false,
  codeOut: false,
  backpressureOut: SOCKET_BYTES,
  backpressureIn: SOCKET_BYTES,
};

/** By its adapter, which does not abort it; over `Duplex.toWeb()` on Node, which cannot reset. */
const apiSocket: Capabilities = { ...workerdSocket, abortShows: "eof" };

const messagePort: Capabilities = { ...memory, byob: false };

const webSocket: Capabilities = {
  streams: true,
  byob: false,
  halfCloseOut: false,
  halfCloseIn: false,
  resetSeen: true,
  lastWords: true,
  abortShows: "reset",
  codeIn: true,
  codeOut: true,
  backpressureOut: SOCKET_BYTES,
  backpressureIn: false,
};

/** Framed. What a peer cannot be sent waits in the other end, and 1 MiB on its way. */
const dataChannel: Capabilities = {
  streams: true,
  byob: false,
  halfCloseOut: true,
  halfCloseIn: true,
  resetSeen: true,
  abortShows: "reset",
  codeIn: false,
  codeOut: false,
  backpressureOut: 4 * MIB,
  backpressureIn: 4 * MIB,
  // A reset closes the channel, and drops what is still on its way.
  lastWords: false,
};

/** To a peer that is no end of ours: the bytes alone. Held to be so by tests/adapters/webrtc/page_test.ts. */
const unframedDataChannel: Capabilities = {
  ...dataChannel,
  halfCloseOut: false,
  halfCloseIn: false,
  // The channel is closed, whatever for.
  resetSeen: false,
  abortShows: "eof",
  // A channel cannot stop its peer.
  backpressureOut: false,
  backpressureIn: false,
};

const messages: Capabilities = { ...webSocket, closeCodes: "page" };

/**
 * By adapter, and by platform: a runtime, `node20` to `node26` where they differ, with the role behind a
 * space where it matters (`deno server`).
 */
export const capabilities = {
  memory: {
    "any": memory,
    // WebKitGTK 2.50 has no byte streams.
    "webkit": { ...memory, byob: false },
  },
  "Deno.TcpConn": { "deno": denoConn },
  "Deno.UnixConn": { "deno": { ...denoConn, resetSeen: "unread" } },
  "Deno.TlsConn": {
    "deno": { ...denoConn, backpressureOut: CARRIED_BYTES, backpressureIn: CARRIED_BYTES },
  },
  "fromNodeSocket": { "node": nodeSocket, "deno": denoNodeSocket, "bun": nodeSocket },
  "fromNodeSocket, Unix": { "node": nodeUnixSocket, "deno": nodeUnixSocket, "bun": nodeUnixSocket },
  // Deno's own loses the end of file behind a pause: tests/adapters/node/tls_deno_test.ts.
  "fromNodeSocket, TLS": { "node": nodeTlsSocket, "bun": nodeTlsSocket },
  "fromNodeSocket, HTTP/2": { "node": nodeHttp2, "deno": nodeHttp2, "bun": nodeHttp2 },
  "fromNodeReadable, fromNodeWritable": {
    "node": nodeStreams,
    "deno": { ...denoNodeSocket, lastWords: false },
    "bun": nodeStreams,
  },
  "fromBunSocket": { "bun": bunSocket },
  "fromBunSocket, Unix": { "bun": { ...bunSocket, resetSeen: "unread", abortShows: "eof" } },
  "fromBunSocket, TLS": {
    "bun": { ...bunSocket, backpressureOut: CARRIED_BYTES, backpressureIn: CARRIED_BYTES },
  },
  "fromWebSocket": {
    "deno": webSocket,
    "deno server": webSocket,
    "bun server": { ...webSocket, backpressureIn: SOCKET_BYTES },
    // The only client that can stop reading.
    "bun": { ...webSocket, backpressureIn: SOCKET_BYTES },
    "node22": webSocket,
    "node24": webSocket,
    "node26": webSocket,
    "workerd": webSocket,
    "chromium": webSocket,
    "firefox": webSocket,
    // WebKitGTK's `bufferedAmount` falls although the peer does not read.
    "webkit": { ...webSocket, backpressureOut: false },
  },
  "fromWebSocket, ws": { "node": { ...webSocket, backpressureIn: SOCKET_BYTES } },
  "fromWebSocket, messages": {
    "deno": messages,
    "deno server": { ...messages, closeCodes: "all" },
    "bun server": { ...messages, closeCodes: "all", backpressureIn: SOCKET_BYTES },
    "bun": { ...messages, closeCodes: "all", backpressureIn: SOCKET_BYTES },
    "node22": messages,
    "node24": messages,
    "node26": messages,
    "workerd": { ...messages, closeCodes: "all" },
    "chromium": messages,
    "firefox": messages,
    // WebKitGTK 2.50 knows no codes after 1011 below 3000.
    "webkit": { ...messages, backpressureOut: false, closesUnheard: [1012, 1013] },
  },
  "fromWebSocket, messages, ws": {
    "node": { ...messages, closeCodes: "all", backpressureIn: SOCKET_BYTES },
  },
  "fromWebTransport": {
    "chromium": webTransport,
    // Firefox 153 has the code only where no read waits for the reset.
    "firefox": { ...webTransport, codeIn: false },
    "deno": denoWebTransport,
    "deno server": denoWebTransport,
    "deno QUIC": denoQuic,
  },
  "fromWebSocketStream": {
    "deno": { ...webSocket, backpressureIn: SOCKET_BYTES },
    // Chromium 156 crashes the page when the connection is cut while a write waits, whoever writes.
    "chromium": { ...webSocket, resetWhileWriting: "crashes" },
  },
  "fromDataChannel": { "chromium": dataChannel, "firefox": dataChannel },
  "fromDataChannel, unframed": {
    "chromium": unframedDataChannel,
    "firefox": unframedDataChannel,
  },
  "fetch": { "deno": denoFetch },
  "fromWebSocketStream, messages": {
    // Deno 2.9: of 36 runs on a busy machine 11.
    "deno": { ...messages, backpressureIn: SOCKET_BYTES, closeAnswered: "unsurely" },
    "chromium": { ...messages, resetWhileWriting: "crashes" },
  },
  "workerd connect()": { "workerd": { ...workerdSocket, unlocksInRead: false } },
  // Of the package's sockets Node 20 tells no end of file before ours: its `Duplex.toWeb()` has none.
  "fromSocket": { "workerd": apiSocket, "node26": apiSocket },
  "fromMessagePort": {
    "deno": messagePort,
    "bun": messagePort,
    "node": messagePort,
    "chromium": messagePort,
    "firefox": messagePort,
  },
} satisfies Record<string, Record<string, Capabilities>>;

/** What is tested by the suite: an adapter. */
export type Adapter = keyof typeof capabilities;

/** What the adapter can do on a platform; `undefined` where it is not there. */
export function capabilitiesOf(adapter: Adapter, platform: string): Capabilities | undefined {
  const platforms: Partial<Record<string, Capabilities>> = capabilities[adapter];
  const family = platform.replace(/^node\d+/, "node");
  return platforms[platform] ?? platforms[family] ?? platforms["any"];
}
