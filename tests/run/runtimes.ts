/**
 * The runtimes the tests run on, and how each is got and started.
 *
 * @module
 */
import process from "node:process";
import { npmInstall } from "./npm.ts";
import { root, run } from "./process.ts";

/** A runtime. */
export interface Runtime {
  name: string;
  /** Whether it runs the sources as they are, rather than the npm package. */
  runsSources: boolean;
  /** Resolves to the executable; rejects if there is none for this machine. */
  executable(): Promise<string>;
  /** The command line that runs one test file and writes a JUnit report. */
  command(executable: string, file: string, report: string, filter: string): string[];
  /** What its output says of a test that passed. */
  passed: RegExp;
}

const deno: Runtime = {
  name: "deno",
  runsSources: true,
  executable: () => Promise.resolve(Deno.execPath()),
  command: (executable, file, report, filter) => [
    ...[executable, "test", "-A", "--no-check", `--junit-path=${report}`],
    ...(filter ? [`--filter=${filter}`] : []),
    file,
  ],
  passed: /^.* \.\.\. ok \(.*\)\n/gm,
};

function node(major: number): Runtime {
  const name = `node-${process.platform}-${process.arch}`;
  return {
    name: `node${major}`,
    runsSources: false,
    executable: () => fromNpm(`${name}@${major}`, () => `${name}/bin/node`),
    command: (executable, file, report) => [
      ...[executable, "--enable-source-maps"],
      ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
      ...["--test-reporter=junit", `--test-reporter-destination=${report}`],
      file,
    ],
    passed: /^\s*✔ .*\n/gm,
  };
}

const bun: Runtime = {
  name: "bun",
  runsSources: false,
  executable: () =>
    fromNpm("bun@1", (modules) => {
      // The `bun` package itself is a placeholder until its install script has run; npm has chosen
      // the one of these that fits the machine.
      const [build] = Deno.readDirSync(`${modules}/@oven`);
      return `@oven/${build?.name}/bin/bun`;
    }),
  command: (executable, file, report) => [
    ...[executable, "test", "--reporter=junit", `--reporter-outfile=${report}`],
    `./${file}`,
  ],
  passed: /^\(pass\) .*\n/gm,
};

/** Every runtime, in the order they are run. */
export const runtimes: readonly Runtime[] = [deno, ...[20, 22, 24, 26].map(node), bun];

async function fromNpm(spec: string, find: (modules: string) => string): Promise<string> {
  const folder = `${root}/.cache/runtimes/${spec}`;
  const modules = `${folder}/node_modules`;
  try {
    return await working(`${modules}/${find(modules)}`);
  } catch {
    // Not there yet, or an installation that broke off.
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    await Deno.mkdir(folder, { recursive: true });
    await npmInstall(folder, [spec]);
    return await working(`${modules}/${find(modules)}`);
  }
}

async function working(executable: string): Promise<string> {
  const { success, end, output } = await run([executable, "--version"]);
  if (!success) throw new Error(`${executable} --version: ${end}\n${output}`);
  return executable;
}
