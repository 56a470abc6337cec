import type { WebSocketStreamLike } from "@webstreams/join/websocket";

const { WebSocketStream } = globalThis as {
  WebSocketStream?: new (url: string) => WebSocketStreamLike;
};

/** Opens one, where there are such. */
export function openWebSocketStream(url: string): WebSocketStreamLike {
  if (!WebSocketStream) throw new TypeError("There is no WebSocketStream");
  return new WebSocketStream(url);
}
