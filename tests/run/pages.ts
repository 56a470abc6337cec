/**
 * A server for pages that run tests.
 *
 * @module
 */
import type { Injected } from "../support/environment.ts";
import { FileRun } from "./progress.ts";

const types: Record<string, string> = { html: "text/html", js: "text/javascript" };

/** Serves the bundle, and hears from the pages. */
export class PageServer {
  readonly #folder: string;
  readonly #injected: Injected;
  readonly #runs: FileRun[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(folder: string, injected: Injected) {
    this.#folder = folder;
    this.#injected = injected;
    this.#server = Deno.serve({
      // Which browsers trust as they do an https server.
      hostname: "127.0.0.1",
      port: 0,
      onListen() {},
    }, (request) => this.#answer(request));
  }

  /** A page for a test file's module, and what it will tell. */
  add(file: string): { url: string; run: FileRun } {
    const run = new FileRun();
    const id = this.#runs.push(run) - 1;
    return { url: `http://127.0.0.1:${this.#server.addr.port}/page/${id}/${file}`, run };
  }

  async close(): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const [, kind, id, file] = pathname.match(/^\/(page|progress)\/(\d+)\/?(.*)$/) ?? [];
    if (kind === "page") return send(this.#page(Number(id), file), "html");
    if (kind === "progress") {
      this.#runs[Number(id)].add(await request.json());
      return new Response();
    }
    try {
      return send(await Deno.readTextFile(this.#folder + pathname), "js");
    } catch {
      return new Response(null, { status: 404 });
    }
  }

  #page(id: number, file: string): string {
    // A script that is no module, as one that cannot be loaded is to be told, too.
    return `<!doctype html>
<meta charset="utf-8">
<title>${file}</title>
<script>
globalThis.testEnvironment = ${JSON.stringify(this.#injected)};
const begun = location.hash === "#held" && new Promise((resolve) => globalThis.begin = resolve);
Promise.resolve(begun).then(() => import("/run/web/page.js")).then(({ runPage }) => runPage("/${file}", "/progress/${id}")).catch(
  async (error) => {
    const tell = (body) => fetch("/progress/${id}", { method: "POST", body: JSON.stringify(body) });
    await tell({ stray: String(error) });
    await tell({ done: true });
  },
).then(() => {
  globalThis.testsFinished = true;
  dispatchEvent(new Event("testsfinished"));
});
</script>
`;
  }
}

function send(text: string, type: string): Response {
  return new Response(text, {
    headers: { "content-type": `${types[type]}; charset=utf-8`, "cache-control": "no-store" },
  });
}
