/**
 * Browsers: one process for all files, a page of its own for each.
 *
 * @module
 */
import type { Runtime as RuntimeName } from "../support/environment.ts";
import { bounded } from "./bounded.ts";
import { moduleOf } from "./bundle.ts";
import { installed } from "./executables.ts";
import { webTestFiles } from "./files.ts";
import { PageServer } from "./pages.ts";
import { launchChromium, launchFirefox } from "./puppeteer.ts";
import type { FileResult, Runtime, Session } from "./runtimes.ts";
import { findWebKit, launchWebKit } from "./webkit.ts";

/** A browser that runs. */
export interface Browser {
  /** Opens a page in front of all others. */
  open(url: string): Promise<Page>;
  /** Ends it, whatever state it is in, and all that belongs to it. Resolves to what it has printed. */
  close(): Promise<string>;
}

/** A page. */
export interface Page {
  /** Resolves to what happened to it if it crashes. */
  readonly lost: Promise<string>;
  close(): Promise<void>;
}

/** Rejects if that takes too long. */
type Launch = (executable: string) => Promise<Browser>;

/** All of them. */
export const browsers: readonly Runtime[] = [
  browser("chromium", launchChromium, () => installed("chromium", "chromium-browser")),
  browser("firefox", launchFirefox, () => installed("firefox-esr", "firefox")),
  browser("webkit", launchWebKit, findWebKit),
];

function browser(name: RuntimeName, launch: Launch, executable: Runtime["executable"]): Runtime {
  return {
    name,
    oneAtATime: true,
    files: webTestFiles,
    executable,
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
  #browser?: Browser;

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
    const broken = await this.#start() ??
      await bounded(
        this.#fileTimeout,
        this.#visit(url, run.done),
        (restart) => run.onProgress = restart,
      );
    // Whatever is wrong with it must not reach the next file.
    if (broken !== undefined) run.print(await this.#end());
    return run.result(broken);
  }

  async close(): Promise<void> {
    await this.#end();
    await this.#server.close();
  }

  /** Resolves to what went wrong, if anything did. */
  async #start(): Promise<string | undefined> {
    try {
      this.#browser ??= await this.#launch();
    } catch (error) {
      return String(error);
    }
  }

  /** The same. */
  async #visit(url: string, done: Promise<void>): Promise<string | undefined> {
    try {
      const page = await this.#browser!.open(url);
      const broken = await Promise.race([done.then(() => undefined), page.lost]);
      if (broken === undefined) await page.close();
      return broken;
    } catch (error) {
      return String(error);
    }
  }

  async #end(): Promise<string> {
    const browser = this.#browser;
    this.#browser = undefined;
    return await browser?.close() ?? "";
  }
}
