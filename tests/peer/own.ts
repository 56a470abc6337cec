/**
 * A peer of one's own, for a file that Deno runs without the project's runner: `deno test -A FILE`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { Program } from "../tools/program.ts";

/** Starts it; resolves to where it listens. It ends with the present program. */
export async function startPeer(): Promise<string> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const peer = new Program(
    [Deno.execPath(), "run", "-A", "--no-check", "--unstable-net", main],
    { showsErrors: true },
  );
  peer.child.unref();
  return JSON.parse(await peer.line()).url;
}
