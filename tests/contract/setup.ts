import type { End, EndReason } from "@webstreams/join";
import type { Far, FarOptions } from "../peer/far_end.ts";
import type { Capabilities } from "./capabilities.ts";

/** A connected end and the far side of it. */
export interface Connected {
  /** What a user hands to `join`; one of messages is joined to another of them. */
  readonly end: End;
  /** What the end is connected to: a `RemoteFar` of the peer, a `FarEnd` in this process. */
  readonly peer: Far;
  /** What the end has left behind, once it is over: names of listeners, timers, sockets. */
  leftovers?(): readonly string[] | Promise<readonly string[]>;
  /** Lets go of what the test has opened besides, a server, a session. */
  dispose?(): void | Promise<void>;
}

/** Makes one. The options are those of the far side: hand them to `listen()` or `dial()`. */
export type Open = (options: FarOptions) => Promise<Connected>;

/** What an adapter's test tells besides. */
export interface ContractOptions {
  /**
   * Bytes each way of the largest transfer. Fewer only where it was measured how slow the platform is.
   *
   * @default {32 MiB}
   */
  readonly bulk?: number;
  /** Milliseconds until a test fails. */
  readonly timeout?: number;
  /** The code that the peer fails with, and where it is found in the error that comes of it. */
  readonly codeIn?: { readonly code: number; of(cause: unknown): unknown };
  /** What we abort with, and the code that the peer must see. */
  readonly codeOut?: { reason(): unknown; readonly code: number };
  /**
   * What a join says of the peer's reset, where the peer is a stream that may fail with anything.
   *
   * @default {"reset"}
   */
  readonly resetIs?: EndReason;
  /** Whether the platform keeps a writable locked for good once it is over, whatever is released. */
  readonly staysLocked?: boolean;
}

/** All that the suite knows of what it tests. */
export interface Setup extends ContractOptions {
  readonly name: string;
  readonly can: Capabilities;
  readonly open: Open;
}
