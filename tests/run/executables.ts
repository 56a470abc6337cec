/**
 * Where runtimes are got from: the npm registry, or what is installed.
 *
 * @module
 */
import { npmInstall } from "./npm.ts";
import { root, run } from "./process.ts";

/** Installs a package, if it is not there yet, and gives the executable that is found in it. */
export async function fromNpm(spec: string, find: (modules: string) => string): Promise<string> {
  const folder = `${root}/.cache/runtimes/${spec.replaceAll("/", "+")}`;
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
