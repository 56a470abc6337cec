/**
 * The npm package as `deno pack` builds it, installed in a project of its own together with the
 * tests, transpiled.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import ts from "typescript";
import config from "../../deno.json" with { type: "json" };
import { list, testSources } from "./files.ts";
import { npmInstall, rangeOf } from "../tools/npm.ts";
import { root, run } from "../tools/process.ts";

const cache = `${root}/.cache/package`;

/** Builds the project; resolves to its folder. */
export async function buildPackage(): Promise<string> {
  await Deno.mkdir(cache, { recursive: true });
  const tarball = `${cache}/package.tgz`;
  const { success, output } = await run([
    ...[Deno.execPath(), "pack", "--allow-dirty", `--output=${tarball}`],
  ]);
  if (!success) throw new Error(`deno pack failed\n${output}`);

  const sources = await testSources();
  const project = await install(tarball, imported(sources));
  await Deno.remove(`${project}/tests`, { recursive: true }).catch(() => {});
  const all = [...sources, ...await list("tests/run/node")];
  await Promise.all(all.map((file) => emit(file, `${project}/${file}`)));
  return project;
}

/** Installs the tarball, unless the same one is already there with the same dependencies. */
async function install(tarball: string, dependencies: Record<string, string>): Promise<string> {
  const assert = await Promise.all(
    (await list("tests/std_assert"))
      .filter((file) => file.endsWith(".ts"))
      .map(async (file) =>
        [file.replace(/^tests\/(.*)ts$/, "$1js"), await transpile(file)] as const
      ),
  );
  const manifest = JSON.stringify({
    private: true,
    type: "module",
    dependencies: {
      ...dependencies,
      [config.name]: `file:../package.tgz`,
      "@std/assert": "file:std_assert",
    },
  });
  const key = createHash("sha256")
    .update(await Deno.readFile(tarball)).update(JSON.stringify(assert)).update(manifest)
    .digest("hex").slice(0, 16);
  const project = `${cache}/${key}`;
  const ready = `${project}/ready`;
  try {
    await Deno.stat(ready);
  } catch {
    for await (const { name, isDirectory } of Deno.readDir(cache)) {
      if (isDirectory) await Deno.remove(`${cache}/${name}`, { recursive: true });
    }
    await write(`${project}/package.json`, manifest);
    for (const [file, text] of assert) await write(`${project}/${file}`, text);
    await write(
      `${project}/std_assert/package.json`,
      JSON.stringify({
        name: "@std/assert",
        version: "1.0.99",
        type: "module",
        exports: "./mod.js",
      }),
    );
    await npmInstall(project);
    // For tests of what the package does not export: `../src/pump.ts` is then the package's own.
    await Deno.symlink(`node_modules/${config.name}/src`, `${project}/src`);
    await write(ready, "");
  }
  return project;
}

/** The npm packages of `deno.json` that the files import. */
function imported(files: readonly string[]): Record<string, string> {
  const dependencies: Record<string, string> = {};
  for (const file of files.filter((name) => name.endsWith(".ts"))) {
    const { importedFiles } = ts.preProcessFile(Deno.readTextFileSync(`${root}/${file}`));
    for (const name of Object.keys(config.imports)) {
      const range = rangeOf(name);
      if (range && importedFiles.some(({ fileName }) => fileName === name)) {
        dependencies[name] = range;
      }
    }
  }
  return dependencies;
}

async function emit(file: string, target: string): Promise<void> {
  if (file.endsWith(".ts")) {
    await write(target.replace(/ts$/, "js"), await transpile(file));
  } else {
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.copyFile(`${root}/${file}`, target);
  }
}

async function transpile(file: string): Promise<string> {
  const { outputText } = ts.transpileModule(await Deno.readTextFile(`${root}/${file}`), {
    fileName: file,
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      // Node 20 and 22 have no `using`.
      target: ts.ScriptTarget.ES2022,
      rewriteRelativeImportExtensions: true,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
      inlineSources: true,
    },
  });
  return outputText;
}

async function write(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}
