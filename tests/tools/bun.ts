/**
 * The part of Bun's API for sockets that tests and benches use, without a package of its types.
 *
 * @module
 */
import type { BunHandlers, BunSocket } from "@webstreams/join/bun";

/** What a socket is told by. */
export interface Handlers extends Partial<Omit<BunHandlers, "binaryType">> {
  open?(socket: BunSocket): void;
  handshake?(socket: BunSocket): void;
  readonly binaryType?: "arraybuffer" | "buffer" | "uint8array";
}

/** Where to listen, or what to connect to, and how. */
export interface SocketOptions {
  readonly hostname?: string;
  readonly port?: number;
  readonly unix?: string;
  readonly tls?: {
    readonly cert?: string;
    readonly key?: string;
    readonly ca?: string;
    readonly rejectUnauthorized?: boolean;
  };
  readonly allowHalfOpen?: boolean;
  readonly socket: Handlers;
}

/** A socket as `Bun.connect` gives it. */
export interface PlainSocket extends BunSocket {
  /** Starts TLS: the socket below it, and the one to be used from here on. */
  upgradeTLS(options: Pick<SocketOptions, "tls" | "socket">): [BunSocket, BunSocket];
}

/** What listens. */
export interface Listener {
  readonly port: number;
  stop(): void;
}

/** What `Bun` has for sockets. */
export interface Sockets {
  listen(options: SocketOptions): Listener;
  connect(options: SocketOptions): Promise<PlainSocket>;
}
