/**
 * Quiche, by the native binding of `@matrixai/quic`: what Deno's own QUIC cannot send (a reset of a
 * stream, a code with it, deno#36822) is what the tests need most.
 *
 * @module
 */
import { createRequire } from "node:module";
import process from "node:process";
import { npmInstall, specOf } from "../../tools/npm.ts";
import { root } from "../../tools/process.ts";

/** Where a packet comes from or goes to. */
export interface HostPort {
  host: string;
  port: number;
}

/** The options of a connection. */
export interface Config {
  setApplicationProtos(protocols: string[]): void;
  setMaxIdleTimeout(ms: number): void;
  setInitialMaxData(bytes: number): void;
  setInitialMaxStreamDataBidiLocal(bytes: number): void;
  setInitialMaxStreamDataBidiRemote(bytes: number): void;
  setInitialMaxStreamDataUni(bytes: number): void;
  setInitialMaxStreamsBidi(streams: number): void;
  setInitialMaxStreamsUni(streams: number): void;
  setMaxConnectionWindow(bytes: number): void;
  setMaxStreamWindow(bytes: number): void;
  setMaxRecvUdpPayloadSize(bytes: number): void;
  setMaxSendUdpPayloadSize(bytes: number): void;
  enableDgram(enabled: boolean, receive: number, send: number): void;
  enablePacing(enabled: boolean): void;
}

/** A connection: it is given packets, and gives packets to send. */
export interface Connection {
  recv(packet: Uint8Array, info: { from: HostPort; to: HostPort }): number;
  send(into: Uint8Array): [number, unknown] | null;
  timeout(): number | null;
  onTimeout(): void;
  /** Throws `StreamReset(code)`. */
  streamRecv(id: number, into: Uint8Array): [count: number, fin: boolean] | null;
  /** Throws `StreamStopped(code)`. */
  streamSend(id: number, bytes: Uint8Array, fin: boolean): number | null;
  streamShutdown(id: number, direction: 0 | 1, code: number): void | null;
  readable(): Iterable<number>;
  isEstablished(): boolean;
  isClosed(): boolean;
  isDraining(): boolean;
  peerError(): { isApp: boolean; errorCode: number; reason: Uint8Array } | null;
  close(app: boolean, code: number, reason: Uint8Array): void | null;
}

/** The binding. */
export interface Quiche {
  readonly Config: {
    withBoringSslCtx(
      verifyPeer: boolean,
      verifyAllowFail: boolean,
      ca: null,
      keys: Uint8Array[] | null,
      certificates: Uint8Array[] | null,
      algorithms: null,
    ): Config;
  };
  readonly Connection: {
    accept(
      id: Uint8Array,
      original: null,
      local: HostPort,
      remote: HostPort,
      config: Config,
    ): Connection;
    connect(
      name: string,
      id: Uint8Array,
      local: HostPort,
      remote: HostPort,
      config: Config,
    ): Connection;
  };
}

let loading: Promise<Quiche> | undefined;

/** Loads it; installs it from npm the first time, as the test runner does with runtimes. */
export function loadQuiche(): Promise<Quiche> {
  return loading ??= load();
}

async function load(): Promise<Quiche> {
  const name = `@matrixai/quic-${process.platform}-${process.arch}`;
  const folder = `${root}/.cache/quic`;
  const require = createRequire(`${folder}/`);
  try {
    return require(name);
  } catch {
    await Deno.mkdir(folder, { recursive: true });
    await npmInstall(folder, [specOf("@matrixai/quic", `-${process.platform}-${process.arch}`)]);
    return require(name);
  }
}
