/**
 * What is used of the `werift` package: its own types would bring all of a page's into the project.
 *
 * @module
 */
export interface RTCSessionDescription {
  type: "offer" | "answer";
  sdp: string;
}

export class RTCDataChannel {
  readonly readyState: "connecting" | "open" | "closing" | "closed";
  readonly bufferedAmount: number;
  bufferedAmountLowThreshold: number;
  readonly sctp: { readonly remoteMaxMessageSize: number };
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
  removeEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
}

export class RTCPeerConnection {
  constructor(configuration?: {
    iceServers?: { urls: string }[];
    iceAdditionalHostAddresses?: string[];
  });
  ondatachannel?: (event: { channel: RTCDataChannel }) => void;
  readonly connectionStateChange: { subscribe(listener: (state: string) => void): void };
  readonly iceGatheringState: string;
  readonly localDescription: RTCSessionDescription;
  createDataChannel(label: string, options?: object): RTCDataChannel;
  createOffer(): Promise<RTCSessionDescription>;
  createAnswer(): Promise<RTCSessionDescription>;
  setLocalDescription(description: RTCSessionDescription): Promise<unknown>;
  setRemoteDescription(description: RTCSessionDescription): Promise<unknown>;
  addEventListener(type: string, listener: (event: { channel: RTCDataChannel }) => void): void;
  close(): Promise<void>;
}
