// TCP keepalive; for sessions alone.

/**
 * Turns TCP keepalive on, so that a connection whose peer has vanished does not stay open for ever. The
 * system decides when the peer is probed (Deno 2.9 cannot set it): after 2 hours of silence, on Linux after
 * net.ipv4.tcp_keepalive_time. Returns the connection.
 */
export function keptAlive<T extends Deno.Conn>(conn: T): T {
  if (isTcp(conn)) {
    try {
      conn.setKeepAlive(true);
    } catch {
      // The peer has reset the connection already: the first read fails with that.
    }
  }
  return conn;
}

function isTcp(conn: Deno.Conn): conn is Deno.TcpConn {
  return "setKeepAlive" in conn;
}
