/**
 * The npm client.
 *
 * @module
 */
import { run } from "./process.ts";

/** Installs packages, or without any the dependencies of the folder's `package.json`. */
export async function npmInstall(folder: string, specs: readonly string[] = []): Promise<void> {
  const { success, end, output } = await run([
    ...["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-package-lock"],
    ...["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
    ...specs,
  ], { cwd: folder });
  if (!success) throw new Error(`npm install ${specs.join(" ")}: ${end}\n${output}`);
}
