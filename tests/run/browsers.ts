/**
 * Browsers: a few processes for all files, a page of its own for each file. A page must be in front of
 * all others of its browser, whose timers are slowed down otherwise: a browser has one page at a time.
 *
 * @module
 */
import { bounded } from "../tools/bounded.ts";
import { moduleOf } from "./bundle.ts";
import type { Browser } from "../tools/browser.ts";
import { executableOf } from "../tools/executables.ts";
import { webTestFiles } from "./files.ts";
import { PageServer } from "./pages.ts";
import { launchChromium, launchFirefox } from "../tools/puppeteer.ts";
import type { FileResult, Session, TestedRuntime } from "./runtimes.ts";
import { launchWebKit } from "../tools/webkit.ts";

/** Rejects if that takes too long. */
type Launch = (executable: string) => Promise<Browser>;

/** How many processes of each. Most of a page's time is waiting. */
const BROWSERS = 3;

/** All of them. */
export const browsers: readonly TestedRuntime[] = [
  browser("chromium", launchChromium),
  browser("firefox", launchFirefox),
  browser("webkit", launchWebKit),
];

function browser(name: "chromium" | "firefox" | "webkit", launch: Launch): TestedRuntime {
  return {
    name,
    atOnce: BROWSERS,
    files: webTestFiles,
    executable: () => executableOf(name),
    async open(executable, { bundle, fileTimeout, variables }) {
      const { folder } = await bundle();
      const server = new PageServer(folder, { runtime: name, variables });
      return new BrowserSession(() => launch(executable), server, fileTimeout);
    },
  };
}

class BrowserSession implements Session {
  readonly #launch: () => Promise<Browser>;
  readonly #server: PageServer;
  readonly #fileTimeout: number;
  /** Those that have no page. */
  readonly #idle: Browser[] = [];

  constructor(
    launch: () => Promise<Browser>,
    server: PageServer,
    fileTimeout: number,
  ) {
    this.#launch = launch;
    this.#server = server;
    this.#fileTimeout = fileTimeout;
  }

  async run(file: string): Promise<FileResult> {
    const { url, run } = this.#server.add(moduleOf(file));
    let browser: Browser;
    try {
      browser = this.#idle.pop() ?? await this.#launch();
    } catch (error) {
      return run.result(String(error));
    }
    const broken = await bounded(
      this.#fileTimeout,
      show(browser, url, run.done).catch(String),
      (restart) => run.onProgress = restart,
    );
    if (broken === undefined) this.#idle.push(browser);
    // Whatever is wrong with it must not reach the next file.
    else run.print(await browser.close());
    return run.result(broken);
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((browser) => browser.close()));
    await this.#server.close();
  }
}

/** Opens a page until it is done; resolves to what went wrong, if anything did. */
async function show(
  browser: Browser,
  url: string,
  done: Promise<void>,
): Promise<string | undefined> {
  const page = await browser.open(url);
  const broken = await Promise.race([done.then(() => undefined), page.lost]);
  if (broken === undefined) await page.close();
  return broken;
}
