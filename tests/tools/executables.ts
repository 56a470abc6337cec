/**
 * The runtimes' programs, and where each comes from: the npm registry, or what is installed. For tests and
 * benches.
 *
 * @module
 */
import process from "node:process";
import { NODE_VERSIONS, npmInstall, specOf } from "./npm.ts";
import { root, run } from "./process.ts";

const executables: Readonly<Record<string, () => Promise<string>>> = {
  deno: () => Promise.resolve(Deno.execPath()),
  ...Object.fromEntries(NODE_VERSIONS.map((major) => [`node${major}`, () => node(major)])),
  // The `bun` package itself is a placeholder until its install script has run; npm has chosen the
  // one of these that fits the machine.
  bun: () =>
    fromNpm(specOf("bun"), (modules) => {
      const [build] = Deno.readDirSync(`${modules}/@oven`);
      return `@oven/${build?.name}/bin/bun`;
    }),
  workerd() {
    const platform = `-${process.platform}-${process.arch === "x64" ? "64" : process.arch}`;
    // The package `workerd` itself only chooses among these.
    return fromNpm(
      specOf("@cloudflare/workerd", platform),
      () => `@cloudflare/workerd${platform}/bin/workerd`,
    );
  },
  chromium: () => installed("chromium", "chromium-browser"),
  firefox: () => installed("firefox-esr", "firefox"),
  // The driver, which needs a display.
  webkit: () => installed("Xvfb").then(() => installed("WebKitWebDriver")),
};

/**
 * The program of a runtime: `deno`, `node20` and so on, `bun`, `workerd`, `chromium`, `firefox`, `webkit`.
 *
 * @throws {Error} If there is none for this machine.
 */
export async function executableOf(runtime: string): Promise<string> {
  const find = executables[runtime];
  if (!find) throw new TypeError(`There is no runtime '${runtime}'`);
  const finding = found.get(runtime) ?? find();
  found.set(runtime, finding);
  return await finding;
}

const found = new Map<string, Promise<string>>();

function node(major: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  return fromNpm(`${name}@${major}`, () => `${name}/bin/node`);
}

/**
 * Installs a package, if it is not there yet, and gives the executable that is found in it. Several processes may
 * do so at once, as the test runner and the peer of a page's tests: the first that is done puts its folder in place.
 */
async function fromNpm(spec: string, find: (modules: string) => string): Promise<string> {
  const folder = `${root}/.cache/runtimes/${spec.replaceAll("/", "+")}`;
  const modules = `${folder}/node_modules`;
  const executable = () => working(`${modules}/${find(modules)}`);
  try {
    return await executable();
  } catch {
    const fresh = `${folder}.${process.pid}`;
    await Deno.mkdir(fresh, { recursive: true });
    await npmInstall(fresh, [spec]);
    try {
      await Deno.rename(fresh, folder);
    } catch {
      // Another process was faster.
      await Deno.remove(fresh, { recursive: true });
    }
    return await executable();
  }
}

async function working(executable: string): Promise<string> {
  const { success, end, output } = await run([executable, "--version"]);
  if (!success) throw new Error(`${executable} --version: ${end}\n${output}`);
  return executable;
}

/** The first of these programs that is installed. */
export async function installed(...names: string[]): Promise<string> {
  for (const name of names) {
    for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
      try {
        if ((await Deno.stat(`${folder}/${name}`)).isFile) return `${folder}/${name}`;
      } catch {
        // Not here.
      }
    }
  }
  throw new Error(`${names.join(" or ")} is not installed`);
}
