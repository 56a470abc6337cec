/**
 * What the WebSocket proxies hand on of a request.
 *
 * @module
 */

/** Of one connection alone: the next one has its own, and its own handshake (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set(
  ("connection host keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade " +
    "content-length sec-websocket-accept sec-websocket-extensions sec-websocket-key sec-websocket-protocol " +
    "sec-websocket-version").split(" "),
);

/** All headers but those of the connection, and from whom they are. */
export function forwarded(
  headers: Iterable<[string, string]>,
  client = "",
): Record<string, string> {
  const all = Object.fromEntries(headers);
  const named = (all.connection ?? "").toLowerCase().split(/\s*,\s*/);
  const handedOn = Object.entries(all).filter(([name]) => {
    return !HOP_BY_HOP.has(name) && !named.includes(name);
  });
  const way = [all["x-forwarded-for"], client].filter(Boolean).join(", ");
  return { ...Object.fromEntries(handedOn), "x-forwarded-for": way };
}

/** The subprotocols that a client offers, of which its target is to choose. */
export function protocolsOf(offered: string | null | undefined): string[] {
  return offered?.split(",").map((name) => name.trim()).filter(Boolean) ?? [];
}
