/**
 * The relays that take turns: ours, and what one would have picked instead.
 *
 * @module
 */
import { installed } from "../../tests/tools/executables.ts";
import { root, run } from "../../tests/tools/process.ts";
import { executableOf } from "../../tests/tools/executables.ts";
import type { Release } from "../release.ts";
import { versionOf } from "../report/machine.ts";
import type { Mode } from "./disciplines.ts";
import { compile, type Ports } from "./load.ts";
import { haproxyConfig, nginxConfig } from "./peers.ts";
import type { Start } from "./relay.ts";

/** One of them. */
export interface Contender {
  readonly name: string;
  /** Whether it is made of this library. */
  readonly ours: boolean;
  /** What it is not made for, and why. */
  readonly without?: Without;
  /** Builds and configures it; rejects if something that it needs is not installed. */
  prepare(ports: Ports): Promise<Prepared>;
}

type Without = { readonly [mode in Mode]?: string };

/** One that can be started. */
export interface Prepared extends Start {
  /** Of what it runs on. */
  readonly version: readonly [name: string, version: string];
}

const folder = `${root}/.cache/bench`;

const CLOSES_BOTH: Without = { "half-closed": "it closes both ends when one has ended" };

/** Those in the table of what a join weighs. */
export const weighed: readonly string[] = [
  "forward",
  "Bun, join",
  "Node, join",
  "Go, 16 KiB copies",
  "tokio, copy_bidirectional",
  "haproxy",
];

/** All of them; with a release, its forwarder beside ours. */
export function contenders(release?: Release): Contender[] {
  return [
    forwarder("forward", root),
    ...release ? [forwarder(`forward (${release.tag})`, release.folder)] : [],
    forwarder("forward --workers 2", root, "--workers", "2"),
    ...release
      ? [forwarder(`forward --workers 2 (${release.tag})`, release.folder, "--workers", "2")]
      : [],
    {
      ...script("Deno, two pipeTo", false, "deno", "deno_native", "run", "-A"),
      without: CLOSES_BOTH,
    },
    script("Bun, join", true, "bun", "bun"),
    script("Bun, by hand", false, "bun", "bun_by_hand"),
    script("Node, join", true, "node26", "node"),
    script("Node, socket.pipe", false, "node26", "node_pipe"),
    go("Go, 16 KiB copies"),
    go("Go, splice", "splice"),
    peer("haproxy", ["-v"], async (executable, ports) => [
      ...[executable, "-q", "-db", "-f"],
      await haproxyConfig(folder, ports),
    ]),
    peer("nginx", ["-v"], async (executable, ports) => [
      ...[executable, "-c"],
      await nginxConfig(executable, folder, ports),
    ]),
    peer("socat", ["-V"], (executable, { via, target }) => [
      // It closes what is half-closed after half a second otherwise.
      ...[executable, "-t", "3600"],
      `TCP-LISTEN:${via},bind=127.0.0.1,reuseaddr,fork,backlog=4096`,
      `TCP:127.0.0.1:${target}`,
    ]),
    tokio("tokio, copy_bidirectional"),
    c("C, 1 MiB copies"),
  ];
}

/** As a user starts it. */
function forwarder(name: string, cwd: string, ...flags: string[]): Contender {
  const workers = flags.includes("--workers") ? 2 : 1;
  return {
    name,
    ours: true,
    prepare: ({ via, target }) =>
      Promise.resolve({
        cwd,
        listeners: workers,
        version: ["Deno", Deno.version.deno],
        command: [
          ...[Deno.execPath(), "task", "forward", "--log", "none", ...flags],
          ...[`tcp://127.0.0.1:${via}`, `tcp://127.0.0.1:${target}`],
        ],
      }),
  };
}

/** A program of this folder's, bundled, as Node has no import map. */
function script(
  name: string,
  ours: boolean,
  runtime: string,
  file: string,
  ...flags: string[]
): Contender {
  return {
    name,
    ours,
    async prepare({ via, target }) {
      const executable = await executableOf(runtime);
      const program = `${folder}/relay_${file}.js`;
      await Deno.mkdir(folder, { recursive: true });
      const { success, output } = await run([
        ...[Deno.execPath(), "bundle", "--quiet", `--output=${program}`],
        `${root}/bench/relay/${file}.ts`,
      ]);
      if (!success) throw new Error(`deno bundle failed\n${output}`);
      return {
        command: [executable, ...flags, program, `${via}`, `${target}`],
        version: [name.replace(/,.*/, ""), await versionOf(executable)],
      };
    },
  };
}

function go(name: string, ...flags: string[]): Contender {
  return {
    name,
    ours: false,
    without: CLOSES_BOTH,
    async prepare({ via, target }) {
      const executable = await installed("go");
      const program = `${folder}/go_relay`;
      await Deno.mkdir(folder, { recursive: true });
      const source = `${root}/bench/relay/go_relay.go`;
      const { success, output } = await run([executable, "build", "-o", program, source]);
      if (!success) throw new Error(`go build\n${output}`);
      return {
        command: [program, `${via}`, `${target}`, ...flags],
        version: ["Go", await versionOf(executable, "version")],
      };
    },
  };
}

/** Of the crates that Debian's librust-tokio-dev brings. */
function tokio(name: string): Contender {
  const crates = "/usr/share/cargo/registry";
  return {
    name,
    ours: false,
    async prepare({ via, target }) {
      const cargo = await installed("cargo");
      const [crate] = (await names(crates)).filter((one) => one.startsWith("tokio-1."));
      if (!crate) throw new Error("Debian's librust-tokio-dev is not installed");
      const project = `${folder}/tokio`;
      await Deno.mkdir(project, { recursive: true });
      await Deno.writeTextFile(
        `${project}/Cargo.toml`,
        `[package]
name = "tokio_relay"
version = "0.0.0"
edition = "2021"
[[bin]]
name = "tokio_relay"
path = "${root}/bench/relay/tokio_relay.rs"
[dependencies]
tokio = { version = "1", features = ["net", "rt-multi-thread", "io-util", "macros"] }
`,
      );
      const { success, output } = await run([
        ...[cargo, "build", "--release", "--offline", "--quiet"],
        ...["--manifest-path", `${project}/Cargo.toml`],
        ...["--config", 'source.crates-io.replace-with="debian"'],
        ...["--config", `source.debian.directory="${crates}"`],
      ]);
      if (!success) throw new Error(`cargo build\n${output}`);
      return {
        command: [`${project}/target/release/tokio_relay`, `${via}`, `${target}`],
        version: ["tokio", crate.slice("tokio-".length)],
      };
    },
  };
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch {
    return [];
  }
}

function c(name: string): Contender {
  return {
    name,
    ours: false,
    async prepare({ via, target }) {
      const program = await compile("relay/copy_relay.c", "-pthread");
      return {
        command: [program, `${via}`, `${target}`],
        version: ["cc", await versionOf(await installed("cc"))],
      };
    },
  };
}

function peer(
  name: string,
  versionFlags: readonly string[],
  command: (executable: string, ports: Ports) => string[] | Promise<string[]>,
): Contender {
  return {
    name,
    ours: false,
    async prepare(ports) {
      const executable = await installed(name);
      await Deno.mkdir(folder, { recursive: true });
      return {
        command: await command(executable, ports),
        version: [name, await versionOf(executable, ...versionFlags)],
      };
    },
  };
}
