/**
 * A program in a page of Chromium's, which talks to the bench by `fetch`.
 *
 * @module
 */
import type { Page } from "../tests/tools/browser.ts";
import { launchChromium } from "../tests/tools/puppeteer.ts";

const PAGE = `<!doctype html><meta charset="utf-8"><title>bench</title>
<script type="module" src="/program.js"></script>`;

/**
 * Runs the program until it posts to `/done`: nothing, or what went wrong. Any other path that it posts to
 * is answered by `answer`, as JSON.
 */
export async function servePage(
  executable: string,
  program: string,
  answer: (path: string, body: string) => unknown,
): Promise<void> {
  const done = Promise.withResolvers<string>();
  const code = await Deno.readTextFile(program);
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/program.js") return reply(code, "text/javascript");
      if (request.method === "GET") return reply(PAGE, "text/html");
      const body = await request.text();
      if (pathname === "/done") done.resolve(body);
      try {
        return Response.json(await answer(pathname, body) ?? null);
      } catch (error) {
        done.reject(error);
        return new Response();
      }
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
