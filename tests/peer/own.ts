/**
 * A peer of one's own, for a file that Deno runs without the project's runner: `deno test -A FILE`.
 *
 * @module
 */

/** Starts it; resolves to where it listens. It ends with the present program. */
export async function startPeer(): Promise<string> {
  const main = new URL("./main.ts", import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--unstable-net", main],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  child.unref();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let line = "";
  while (!line.includes("\n")) {
    const { done, value } = await lines.read();
    if (done) throw new Error("The peer has ended before it was ready");
    line += value;
  }
  return JSON.parse(line).url;
}
