/** What the tests use of WebRTC, which a page's globals are and `werift`: Deno 2.9 has types of neither. */
export interface DataChannel {
  readonly readyState: "connecting" | "open" | "closing" | "closed";
  binaryType?: string;
  readonly bufferedAmount: number;
  bufferedAmountLowThreshold: number;
  send(message: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
  removeEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
}

export interface Description {
  readonly type: string;
  readonly sdp: string;
}

export interface Configuration {
  readonly iceUseIpv6?: boolean;
  readonly iceAdditionalHostAddresses?: readonly string[];
}

export declare class RTCPeerConnection {
  constructor(configuration?: Configuration);
  readonly iceGatheringState: string;
  readonly localDescription: Description;
  createDataChannel(label: string, options?: object): DataChannel;
  createOffer(): Promise<Description>;
  createAnswer(): Promise<Description>;
  setLocalDescription(description: Description): Promise<unknown>;
  setRemoteDescription(description: Description): Promise<unknown>;
  addEventListener(type: string, listener: (event: { channel: DataChannel }) => void): void;
  close(): unknown;
}
