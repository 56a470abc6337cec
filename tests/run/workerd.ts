/**
 * workerd: a process for each file, which one request makes run the tests.
 *
 * @module
 */
import type { Injected } from "../support/environment.ts";
import { bounded } from "../tools/bounded.ts";
import { type Bundle, moduleOf } from "./bundle.ts";
import { executableOf } from "../tools/executables.ts";
import { webTestFiles } from "./files.ts";
import { FileRun } from "./progress.ts";
import type { FileResult, TestedRuntime } from "./runtimes.ts";
import { Program } from "../tools/program.ts";

const compatibilityDate = "2026-11-01";

/** The runtime. */
export const workerd: TestedRuntime = {
  name: "workerd",
  files: webTestFiles,
  executable: () => executableOf("workerd"),
  async open(executable, { bundle, fileTimeout, variables }) {
    const config = await configure(await bundle(), { runtime: "workerd", variables });
    return {
      run: (file) => runFile(executable, config, file, fileTimeout),
      close: () => Promise.resolve(),
    };
  },
};

/** Writes the configuration; resolves to its path. */
async function configure({ folder, modules }: Bundle, injected: Injected): Promise<string> {
  await Deno.writeTextFile(
    `${folder}/environment.js`,
    `globalThis.testEnvironment = ${JSON.stringify(injected)};
// Nobody is told what a timer's callback throws.
const { setTimeout } = globalThis;
globalThis.setTimeout = (callback, ...rest) =>
  setTimeout((...args) => {
    try {
      callback(...args);
    } catch (error) {
      reportError(error);
    }
  }, ...rest);
`,
  );
  await Deno.writeTextFile(
    `${folder}/main.js`,
    `import "./environment.js";\nexport { default } from "./run/web/worker.js";\n`,
  );
  const embedded = ["main.js", "environment.js", ...modules]
    .map((name) => `(name = "${name}", esModule = embed "${name}")`);
  const config = `${folder}/workerd.capnp`;
  await Deno.writeTextFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "tests", worker = (
      modules = [${embedded.join(", ")}],
      compatibilityDate = "${compatibilityDate}",
      globalOutbound = "network",
    )),
    (name = "network", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "tests")],
);
`,
  );
  return config;
}

async function runFile(
  executable: string,
  config: string,
  file: string,
  timeout: number,
): Promise<FileResult> {
  const run = new FileRun();
  // It tells where it listens.
  const program = new Program([executable, "serve", "--control-fd=1", config]);
  const broken = await bounded(
    timeout,
    ask(program, file, run),
    (restart) => run.onProgress = restart,
  );
  // One that hangs does not heed SIGTERM.
  await program.stop("SIGKILL");
  run.print(program.output);
  return run.result(broken);
}

/** Resolves to what went wrong, if anything did. */
async function ask(program: Program, file: string, run: FileRun): Promise<string | undefined> {
  try {
    const { port }: { port: number } = JSON.parse(await program.line());
    const { body } = await fetch(`http://127.0.0.1:${port}/${moduleOf(file)}`);
    if (body) { for await (const line of lines(body)) run.add(JSON.parse(line)); }
  } catch (error) {
    return String(error);
  }
  return await bounded(0, run.done) ? "broke off" : undefined;
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let line = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const [head, ...rest] = text.split("\n");
    line += head;
    for (const next of rest) {
      yield line;
      line = next;
    }
  }
}
