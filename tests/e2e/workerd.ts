/**
 * A Worker as it would be deployed, bundled, on workerd.
 *
 * @module
 */
import { assert } from "@std/assert";
import { root, run } from "../tools/process.ts";
import { executableOf } from "../tools/executables.ts";

const bundles = new Map<string, Promise<string>>();

/** Serves one of `tests/workers`, with a `TARGET` in its environment, while `body` runs. */
export async function serveWorker(
  name: string,
  protocol: "http" | "tcp",
  target: string,
  body: (address: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const executable = await executableOf("workerd");
  const bundled = bundles.get(name) ?? bundle(name);
  bundles.set(name, bundled);
  await Deno.writeTextFile(`${folder}/relay.js`, await bundled);
  await Deno.writeTextFile(
    `${folder}/relay.capnp`,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "relay", worker = (
      modules = [(name = "relay.js", esModule = embed "relay.js")],
      bindings = [(name = "TARGET", text = "${target}")],
      compatibilityDate = "2026-11-01",
      globalOutbound = "network",
    )),
    (name = "network", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "in", address = "127.0.0.1:0", ${protocol} = (), service = "relay")],
);
`,
  );
  const child = new Deno.Command(executable, {
    args: ["serve", "--control-fd=1", `${folder}/relay.capnp`],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { value = "" } = await lines.read();
    const { port }: { port: number } = JSON.parse(value.split("\n")[0]);
    await body(`127.0.0.1:${port}`);
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await lines.cancel();
    await Deno.remove(folder, { recursive: true });
  }
}

async function bundle(name: string): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  const { success, output } = await run([
    ...[Deno.execPath(), "bundle", "--platform=browser", "--external=cloudflare:sockets"],
    ...[`--output=${file}`, `${root}/tests/workers/${name}.ts`],
  ]);
  assert(success, output);
  const text = await Deno.readTextFile(file);
  await Deno.remove(file);
  return text;
}
