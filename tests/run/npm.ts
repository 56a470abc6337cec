/**
 * The npm client.
 *
 * @module
 */
import { run } from "./process.ts";

/**
 * Versions of what is installed from npm besides the dependencies in `deno.json`: programs, and a native
 * binding. All are packages for one platform each; those that choose among them name platforms that npm
 * has nothing for, so that Deno could not resolve them.
 */
export const versions = {
  "@cloudflare/workerd": ["1"],
  "@matrixai/quic": ["2"],
  bun: ["1"],
  node: ["20", "22", "24", "26"],
} as const;

/** Installs packages, or without any the dependencies of the folder's `package.json`. */
export async function npmInstall(folder: string, specs: readonly string[] = []): Promise<void> {
  const { success, end, output } = await run([
    ...["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-package-lock"],
    ...["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
    ...specs,
  ], { cwd: folder });
  if (!success) throw new Error(`npm install ${specs.join(" ")}: ${end}\n${output}`);
}
