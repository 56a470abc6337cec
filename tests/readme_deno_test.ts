/** What the README quotes of the tested recipes is what they are, and what it names is there. */
import { assert, assertEquals } from "@std/assert";
import { test } from "./harness.ts";
import { root } from "./run/process.ts";
import config from "../deno.json" with { type: "json" };

const QUOTE = /<!-- (tests\/\S+\.ts) -->\n+```ts ignore\n([\s\S]*?)```/g;

const PAGES = [
  "README.md",
  "bench/README.md",
  ".github/CONTRIBUTING.md",
  ".github/CHANGELOG.md",
  ".github/PROMISES.md",
];

const readme = await Deno.readTextFile(`${root}/README.md`);
const quotes = [...readme.matchAll(QUOTE)];

test("the README quotes recipes", () => {
  assertEquals(quotes.length, [...readme.matchAll(/<!-- tests\//g)].length);
  assert(quotes.length > 0);
});

for (const [, path = "", quoted] of quotes) {
  test(`the README quotes ${path} as it is`, async () => {
    const source = await Deno.readTextFile(`${root}/${path}`);
    // Without what it says of itself.
    const code = source.slice(source.search(/^import/m)).replace(/^\/\/ @ts-types.*\n/m, "");
    assertEquals(quoted, code);
  });
}

for (const page of PAGES) {
  test(`the tasks and files that ${page} names are there`, async () => {
    const text = await Deno.readTextFile(`${root}/${page}`);
    const tasks = [...text.matchAll(/\bdeno(?:@2)? task ([\w:]+)/g)].map(([, task = ""]) => task);
    assertEquals(tasks.filter((task) => !(task in config.tasks)), []);
    const links = [...text.matchAll(/\]\(((?!https?:|#)[^)]+)\)/g)].map(([, path = ""]) => path);
    assert(tasks.length + links.length > 0);
    const recipes = [...text.matchAll(/\btests\/[\w/]+\.ts\b/g)].map(([path]) => path);
    const folder = page.replace(/[^/]*$/, "");
    for (const path of [...links.map((link) => folder + link), ...recipes]) {
      await Deno.stat(`${root}/${path}`);
    }
  });
}
