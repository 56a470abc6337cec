/**
 * Data channels in tests.
 *
 * @module
 */
import type { DataChannel, Description, RTCPeerConnection } from "./webrtc.d.ts";
import { deferred } from "./async.ts";

/** What makes a connection: a page's own, or that of a package. */
export type Connect = () => RTCPeerConnection;

/** A channel's two sides, still connecting, and what they go through. */
export interface Channels {
  readonly here: DataChannel;
  readonly connections: readonly [RTCPeerConnection, RTCPeerConnection];
  close(): Promise<void>;
}

const { RTCPeerConnection: OfPage } = globalThis as {
  RTCPeerConnection?: typeof RTCPeerConnection;
};

/** Whether there is WebRTC without a package. */
export const hasWebRTC: boolean = OfPage !== undefined;

/** A page's own connection. */
export const connectionOfPage: Connect = () => new OfPage!();

/** Both sides of a channel; `accept` is called in the turn in which the other side is announced. */
export function openChannels(
  accept: (there: DataChannel) => void,
  connect: Connect = connectionOfPage,
  options: object = {},
): Channels {
  const [caller, called] = [connect(), connect()];
  called.addEventListener("datachannel", ({ channel }) => accept(channel));
  const here = caller.createDataChannel("test", options);
  const connected = exchange(caller, called);
  // The channel tells of it.
  connected.catch(() => {});
  const close = async () => {
    await connected.catch(() => {});
    await Promise.all([caller.close(), called.close()]);
  };
  return { here, connections: [caller, called], close };
}

/** The same, and what becomes of the other side. */
export function channelTo<T>(accept: (there: DataChannel) => T, connect?: Connect) {
  const { promise, resolve } = deferred<T>();
  return { ...openChannels((there) => resolve(accept(there)), connect), accepted: promise };
}

async function exchange(caller: RTCPeerConnection, called: RTCPeerConnection): Promise<void> {
  const offer = await described(caller, await caller.createOffer());
  await called.setRemoteDescription(offer);
  await caller.setRemoteDescription(await described(called, await called.createAnswer()));
}

/** With all its candidates in it. */
export async function described(
  connection: RTCPeerConnection,
  description: Description,
): Promise<Description> {
  const gathered = deferred<void>();
  connection.addEventListener("icegatheringstatechange", () => {
    if (connection.iceGatheringState === "complete") gathered.resolve();
  });
  await connection.setLocalDescription(description);
  if (connection.iceGatheringState !== "complete") await gathered.promise;
  const { type, sdp } = connection.localDescription;
  return { type, sdp };
}
