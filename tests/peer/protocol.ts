/**
 * What a test and the peer say to each other over HTTP.
 *
 * @module
 */
import type { FarOptions } from "./far_end.ts";

/** What a far end speaks. */
export type Protocol = "tcp" | "unix" | "tls" | "websocket" | "webtransport";

/** Where the peer waits for one connection. */
export interface Address {
  readonly hostname: string;
  /** 0 of a Unix socket. */
  readonly port: number;
  /** Of a Unix socket. */
  readonly path: string;
  /** Of a WebSocket or a WebTransport session. */
  readonly url: string;
  /** The certificate to trust, in PEM (TLS). */
  readonly ca: string;
  /** The certificate's SHA-256, in hexadecimal, for `serverCertificateHashes` (WebTransport). */
  readonly certificateHash: string;
}

/** Where the peer is to connect to; what of it is needed depends on the protocol. */
export type Target = Partial<Address>;

/** Options of a far end that is made by the peer. */
export interface PeerOptions extends FarOptions {
  /** WebSocket: the largest message that is taken; a larger one closes with 1009. */
  readonly maxPayload?: number;
}

/** `POST /listen` */
export interface ListenRequest {
  readonly protocol: Protocol;
  readonly options?: PeerOptions;
}

/** `POST /dial` */
export interface DialRequest extends ListenRequest {
  readonly target: Target;
}

/** The answer to both. */
export interface Opened {
  readonly id: string;
  readonly address: Address;
}

/** The answer to a verb: `POST /far/<id>/<verb>` with its arguments, and to `GET /op/<op>`. */
export type Answer = { readonly value: unknown } | { readonly error: string } | {
  /** It takes longer: to be asked for under this number. */
  readonly op: number;
};

/** `POST /program`: a program to run, which says first that it is `listening on <port>`. */
export interface Starting {
  readonly on: "deno" | "bun" | "node";
  /** Of the file in `tests/recipes`, or else with its folder in `tests`, without `.ts`. */
  readonly name: string;
  /** `$FOLDER` in them is a folder with the peer's certificate: `cert.pem`, `key.pem`. */
  readonly args: readonly (string | number)[];
}

/** The answer: it listens. */
export interface Started {
  readonly id: string;
  readonly port: number;
  /** Of the peer's certificate, as in {@linkcode Address}. */
  readonly certificateHash: string;
}
