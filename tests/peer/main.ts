/**
 * The peer: the far side of connections under test, in a process of its own, for tests on any runtime.
 *
 *     deno run -A tests/peer/main.ts
 *
 * Prints one line of JSON, `{"url":"http://127.0.0.1:PORT"}`, once it is ready, and ends when its
 * standard input does. Tests do not talk HTTP to it but use `client.ts`.
 *
 * @module
 */
import { selfSigned } from "../tools/certs.ts";
import { PeerService } from "./service.ts";

const service = new PeerService(await selfSigned());
const headers = { "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store" };

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` })),
}, async (request) => {
  try {
    return Response.json(await service.answer(request) ?? null, { headers });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return Response.json({ error: message }, { status: 400, headers });
  }
});

// A connection that a test breaks in a way that a platform does not report where it should, must not
// take the other tests' far ends along.
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  console.error("peer:", event.reason);
});

Deno.addSignalListener("SIGTERM", exit);
await Deno.stdin.readable.pipeTo(new WritableStream());
await exit();

async function exit(): Promise<void> {
  await service.programs.close();
  Deno.exit();
}
