/**
 * WebTransport in tests: errors with a code.
 *
 * @module
 */
import { runtime } from "./environment.ts";

/** The platform's own error with a code. */
export function errorWithCode(code: number): Error {
  const init = { source: "stream", streamErrorCode: code } as const;
  try {
    return new WebTransportError("with a code", init);
  } catch {
    // Chromium 156 and Firefox 153 have no argument for the message.
    return Reflect.construct(WebTransportError, [{ message: "with a code", ...init }]);
  }
}

/** What a stream's error carries. */
export function codeOf(error: unknown): unknown {
  return (error as { streamErrorCode?: unknown }).streamErrorCode;
}

/** The codes to test with. */
export const codes = {
  // What Firefox 153 has depends on which half fails first: see the test of it in pages.
  codeIn: runtime === "firefox" ? undefined : { code: 42, of: codeOf },
  codeOut: { code: 43, reason: () => errorWithCode(43) },
};
