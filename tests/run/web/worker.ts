/**
 * Runs a file of tests in a Worker: it is asked for by its path, and the answer is a line of JSON for
 * each thing there is to tell.
 *
 * @module
 */
import { delay } from "../../support/async.ts";
import { type Progress, runCollected } from "../../support/collector.ts";

export default {
  fetch(request: Request): Response {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    const tell = async (progress: Progress) => {
      await writer.write(encoder.encode(`${JSON.stringify(progress)}\n`));
      // It must be out before the next test can hang.
      await delay(0);
    };
    const file = `../..${new URL(request.url).pathname}`;
    // The answer's body, which is open until then, keeps the request alive.
    void runCollected(() => import(file), tell)
      .then(() => writer.close());
    return new Response(readable);
  },
};
