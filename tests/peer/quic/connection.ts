import { setImmediate } from "node:timers";
import type { Certificate } from "../../tools/certs.ts";
import type { Ended } from "../wire.ts";
import { delay, turns } from "../../support/async.ts";
import { type Config, type Connection, type HostPort, loadQuiche } from "./quiche.ts";
import { QuicStream } from "./stream.ts";

const HOST = "127.0.0.1";
/** More would overflow the socket's buffer, 208 KiB by default, and every packet lost takes its time. */
const WINDOW_BYTES = 64 * 1024;
const CONNECTION_BYTES = 16 * 1024 * 1024;
/** What browsers take: they announce 1472. */
const PACKET_BYTES = 1472;
const IDLE_MS = 30_000;

/** One QUIC connection over a UDP socket of its own. */
export class QuicConnection {
  readonly #socket: Deno.DatagramConn;
  readonly #local: HostPort;
  readonly #accept?: (remote: HostPort) => Connection;
  readonly #streams = new Map<number, QuicStream>();
  readonly #packet = new Uint8Array(PACKET_BYTES);
  readonly #onStream: (stream: QuicStream) => void;
  #connection?: Connection;
  #remote?: HostPort;
  #timer?: ReturnType<typeof setTimeout>;
  readonly #outgoing: Uint8Array[] = [];
  #flushing = false;
  #sending = false;
  #lastPacket = 0;
  #nextBidirectional: number;
  #nextUnidirectional: number;
  #over = false;
  #established!: () => void;
  /** Fulfils once the handshake is done. */
  readonly established: Promise<void> = new Promise((resolve) => this.#established = resolve);

  /**
   * @param start Makes the connection, as its client, or for the client that a packet has come from.
   * @param onStream Is told of every stream of the other side's.
   */
  private constructor(
    socket: Deno.DatagramConn,
    start: { accept(remote: HostPort): Connection } | { connection: Connection; remote: HostPort },
    onStream: (stream: QuicStream) => void,
  ) {
    this.#socket = socket;
    this.#local = localOf(socket);
    this.#onStream = onStream;
    const isServer = "accept" in start;
    if (isServer) this.#accept = start.accept;
    else [this.#connection, this.#remote] = [start.connection, start.remote];
    this.#nextBidirectional = isServer ? 1 : 0;
    this.#nextUnidirectional = isServer ? 3 : 2;
    // As in #send().
    this.#receive().catch(() => {});
    if (!isServer) this.flush();
  }

  /** Waits for a client on a port of its own. */
  static async listen(
    { cert, key }: Certificate,
    protocol: string,
    onStream: (stream: QuicStream) => void,
  ): Promise<QuicConnection> {
    const { Config, Connection } = await loadQuiche();
    const [keys, certificates] = [key, cert].map((pem) => [new TextEncoder().encode(pem)]);
    const config = Config.withBoringSslCtx(false, false, null, keys, certificates, null);
    configure(config, protocol);
    const socket = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
    const local = localOf(socket);
    const accept = (remote: HostPort) =>
      Connection.accept(connectionId(), null, local, remote, config);
    return new QuicConnection(socket, { accept }, onStream);
  }

  /** Connects; believes every certificate. */
  static async connect(
    port: number,
    protocol: string,
    onStream: (stream: QuicStream) => void,
  ): Promise<QuicConnection> {
    const { Config, Connection } = await loadQuiche();
    const config = Config.withBoringSslCtx(false, false, null, null, null, null);
    configure(config, protocol);
    const socket = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
    const local = localOf(socket);
    const remote = { host: HOST, port };
    const connection = Connection.connect("localhost", connectionId(), local, remote, config);
    return new QuicConnection(socket, { connection, remote }, onStream);
  }

  /** Where it is. */
  get port(): number {
    return this.#local.port;
  }

  /** The connection of quiche's, which the streams use. */
  get quiche(): Connection {
    if (!this.#connection) throw new Error("The QUIC connection has not been made");
    return this.#connection;
  }

  /** Opens a stream. */
  open(direction: "bidirectional" | "unidirectional"): QuicStream {
    const id = direction === "bidirectional" ? this.#nextBidirectional : this.#nextUnidirectional;
    if (direction === "bidirectional") this.#nextBidirectional += 4;
    else this.#nextUnidirectional += 4;
    const stream = new QuicStream(this, id);
    this.#streams.set(id, stream);
    return stream;
  }

  /** Fulfils once no packet has come or gone for so many milliseconds, or after `most` of them. */
  async quiet(ms: number, most: number): Promise<void> {
    const start = performance.now();
    for (let now = start; !this.#over && now < start + most; now = performance.now()) {
      const isQuiet = () => performance.now() >= this.#lastPacket + ms;
      // A timer that is late goes off before the packets that have come meanwhile are read.
      if (isQuiet()) await turns();
      if (isQuiet()) return;
      await delay(this.#lastPacket + ms - now);
    }
  }

  /** Ends the connection; the other side is told. */
  close(): void {
    if (this.#over) return;
    this.#connection?.close(true, 0, new Uint8Array());
    this.flush();
    // What is to be sent is on its way by then.
    setTimeout(() => this.#end({ how: "closed", reason: "closed by the far end" }), 50);
  }

  /** Sends what there is to send, soon: one packet then acknowledges many. */
  flush(): void {
    if (this.#flushing || this.#over) return;
    this.#flushing = true;
    setImmediate(() => this.flushNow());
  }

  /** Sends what there is to send. */
  flushNow(): void {
    this.#flushing = false;
    const connection = this.#connection;
    if (!connection || this.#over) return;
    for (let sent = connection.send(this.#packet); sent; sent = connection.send(this.#packet)) {
      this.#outgoing.push(this.#packet.slice(0, sent[0]));
      this.#lastPacket = performance.now();
    }
    if (!this.#sending) void this.#send();
    clearTimeout(this.#timer);
    if (connection.isClosed()) return this.#end(whyClosed(connection));
    const timeout = connection.timeout();
    if (timeout === null) return;
    this.#timer = setTimeout(() => {
      connection.onTimeout();
      this.#look(connection);
      this.flush();
    }, timeout);
  }

  async #send(): Promise<void> {
    this.#sending = true;
    const to: Deno.NetAddr = { transport: "udp", hostname: HOST, port: this.#remote!.port };
    for (let packet = this.#outgoing.shift(); packet; packet = this.#outgoing.shift()) {
      // A closed socket is the end of the connection, which has been told.
      await this.#socket.send(packet, to).catch(() => {});
    }
    this.#sending = false;
  }

  async #receive(): Promise<void> {
    const p = new Uint8Array(64 * 1024);
    while (!this.#over) {
      const [packet, from] = await this.#socket.receive(p);
      if (from.transport === "udp") this.#received(packet, { host: HOST, port: from.port });
    }
  }

  #received(packet: Uint8Array, from: HostPort): void {
    if (this.#over) return;
    this.#remote = from;
    this.#lastPacket = performance.now();
    this.#connection ??= this.#accept!(from);
    try {
      this.#connection.recv(packet, { from, to: this.#local });
    } catch {
      // A packet that is none of the connection's; quiche has it counted.
    }
    this.#look(this.#connection);
    this.flush();
  }

  /** Wakes whoever waits for something that may have happened. */
  #look(connection: Connection): void {
    if (connection.isEstablished()) this.#established();
    for (const id of connection.readable()) {
      if (this.#streams.has(id)) continue;
      const stream = new QuicStream(this, id);
      this.#streams.set(id, stream);
      this.#onStream(stream);
    }
    for (const stream of this.#streams.values()) stream.look();
    if (connection.isDraining()) this.#end(whyClosed(connection));
  }

  #end(ended: Ended): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.close();
    for (const stream of this.#streams.values()) stream.lost(ended);
  }
}

function whyClosed(connection: Connection): Ended {
  const error = connection.peerError();
  const how = "closed";
  if (!error) return { how, reason: "The QUIC connection was lost" };
  return { how, code: error.errorCode, reason: new TextDecoder().decode(error.reason) };
}

function configure(config: Config, protocol: string): void {
  config.setApplicationProtos([protocol]);
  config.setMaxIdleTimeout(IDLE_MS);
  // A small one was seen to get stuck: the update of it that a packet had, which was lost, never came.
  config.setInitialMaxData(CONNECTION_BYTES);
  config.setInitialMaxStreamDataBidiLocal(WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiRemote(WINDOW_BYTES);
  config.setInitialMaxStreamDataUni(WINDOW_BYTES);
  config.setInitialMaxStreamsBidi(100);
  config.setInitialMaxStreamsUni(100);
  config.setMaxConnectionWindow(CONNECTION_BYTES);
  config.setMaxStreamWindow(WINDOW_BYTES);
  config.setMaxRecvUdpPayloadSize(PACKET_BYTES);
  config.setMaxSendUdpPayloadSize(PACKET_BYTES);
  // WebTransport insists on datagrams.
  config.enableDgram(true, 16, 16);
  config.enablePacing(false);
}

function connectionId(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(20));
}

function localOf({ addr }: Deno.DatagramConn): HostPort {
  if (addr.transport !== "udp") throw new TypeError("The socket has no port");
  return { host: HOST, port: addr.port };
}
