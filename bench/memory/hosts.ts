/**
 * The runtimes that the bench runs on: command lines, and Chromium with a page.
 *
 * @module
 */
import type { Page } from "../../tests/run/browsers.ts";
import { run } from "../../tests/run/process.ts";
import { launchChromium } from "../../tests/run/puppeteer.ts";
import { runtimes } from "../../tests/run/runtimes.ts";
import { versionOf } from "../report/machine.ts";
import type { Row } from "./bench.ts";

/** Those there are. */
export const hosts = ["deno", "bun", "node26", "chromium"] as const;

/** One of them, found. */
export interface Host {
  readonly version: string;
  /** Runs the program to its end. */
  run(program: string): Promise<Row[]>;
}

/** Rejects if it cannot be had. */
export async function findHost(name: string): Promise<Host> {
  const executable = await runtimes.find((runtime) => runtime.name === name)!.executable();
  const command = name === "deno" ? [executable, "run", "-A"] : [executable];
  return {
    version: await versionOf(executable),
    run: name === "chromium"
      ? (program) => runInPage(executable, program)
      : (program) => runCommand([...command, program]),
  };
}

async function runCommand(command: string[]): Promise<Row[]> {
  const { success, end, output } = await run(command, { timeout: 1_800_000 });
  if (!success) throw new Error(`${command.join(" ")}: ${end}\n${output}`);
  return output.trim().split("\n").map((line) => JSON.parse(line));
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>bench</title>
<script type="module" src="/program.js"></script>`;

async function runInPage(executable: string, program: string): Promise<Row[]> {
  const rows: Row[] = [];
  const done = Promise.withResolvers<string>();
  const code = await Deno.readTextFile(program);
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/row") rows.push(await request.json());
      if (pathname === "/done") done.resolve(await request.text());
      if (pathname === "/") return reply(PAGE, "text/html");
      if (pathname === "/program.js") return reply(code, "text/javascript");
      return new Response();
    },
  );
  const browser = await launchChromium(executable);
  try {
    const page: Page = await browser.open(`http://127.0.0.1:${server.addr.port}/`);
    const error = await Promise.race([done.promise, page.lost]);
    if (error) throw new Error(`In the page: ${error}`);
  } finally {
    await browser.close();
  }
  return rows;
}

/** Isolated: the page's clock is finer so. */
function reply(body: string, type: string): Response {
  return new Response(body, {
    headers: {
      "content-type": `${type}; charset=utf-8`,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    },
  });
}
