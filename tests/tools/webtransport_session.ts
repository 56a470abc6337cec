/**
 * The client's side of a WebTransport session. For tests and benches.
 *
 * @module
 */

/** What it is connected to. */
export interface SessionAddress {
  readonly url: string;
  /** The certificate's SHA-256, in hexadecimal. */
  readonly certificateHash: string;
}

/** Opens a session. */
export async function connect({ url, certificateHash }: SessionAddress): Promise<WebTransport> {
  const value = Uint8Array.from(certificateHash.match(/../g) ?? [], (hex) => parseInt(hex, 16));
  const session = new WebTransport(url, {
    serverCertificateHashes: [{ algorithm: "sha-256", value }],
  });
  // How it ends is seen by its streams.
  session.closed.catch(() => {});
  await session.ready;
  return session;
}
