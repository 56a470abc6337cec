/** What the pages quote of the tested recipes is what they are, and what the pages name is there. */
import { assert, assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { root } from "../tools/process.ts";
import { rejection } from "../support/async.ts";
import { join, memoryPair } from "@webstreams/join";
import { FLAGS } from "../../src/forward/cli/flags.ts";
import config from "../../deno.json" with { type: "json" };

const QUOTE = /<!-- (tests\/\S+\.ts) -->\n+```ts ignore\n([\s\S]*?)```/g;

const PAGES = [
  "README.md",
  "bench/README.md",
  ".github/CONTRIBUTING.md",
  ".github/CHANGELOG.md",
  ".github/ENDS.md",
  ".github/FORWARD.md",
  ".github/PROMISES.md",
  ".github/RECIPES.md",
];

const read = (path: string) => Deno.readTextFile(`${root}/${path}`);
const texts = new Map(
  await Promise.all(PAGES.map(async (page) => [page, await read(page)] as const)),
);
const textOf = (page: string) => texts.get(page) ?? "";

/** What a heading's link ends with. */
function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => {
    return title.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-");
  });
}

test("the README and the page of recipes quote recipes", () => {
  for (const page of ["README.md", ".github/RECIPES.md"]) {
    assert(textOf(page).includes("<!-- tests/"), page);
  }
});

for (const [page, text] of texts) {
  const quotes = [...text.matchAll(QUOTE)];

  if (text.includes("<!-- tests/")) {
    test(`every mark of a quote in ${page} has its quote`, () => {
      assertEquals(quotes.length, text.split("<!-- tests/").length - 1);
    });
  }

  for (const [, path = "", quoted] of quotes) {
    test(`${page} quotes ${path} as it is`, async () => {
      const source = await read(path);
      // Without what it says of itself.
      const code = source.slice(source.search(/^import/m)).replace(/^\/\/ @ts-types.*\n/m, "");
      assertEquals(quoted, code);
    });
  }

  test(`the tasks and files that ${page} names are there`, async () => {
    const tasks = [...text.matchAll(/\bdeno(?:@2)? task ([\w:]+)/g)].map(([, task = ""]) => task);
    assertEquals(tasks.filter((task) => !(task in config.tasks)), []);
    const links = [...text.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = ""]) => link);
    assert(tasks.length + links.length > 0);
    for (const [path] of text.matchAll(/\btests\/[\w/]+\.ts\b/g)) {
      await Deno.stat(`${root}/${path}`);
    }
    for (const link of links) {
      const url = new URL(link, `file:///${page}`);
      const path = decodeURI(url.pathname).slice(1);
      await Deno.stat(`${root}/${path}`);
      const anchor = url.hash.slice(1);
      if (anchor) assert(anchorsOf(path).includes(anchor), `${link} names no heading`);
    }
  });
}

test("the page of recipes has a link to each of them", async () => {
  const page = textOf(".github/RECIPES.md");
  for await (const { name } of Deno.readDir(`${root}/tests/recipes`)) {
    if (name.includes("_test.")) continue;
    const path = `tests/recipes/${name}`;
    const isRecipe = (await read(path)).includes('from "@webstreams/join"');
    if (isRecipe) assert(page.includes(`](../${path})`), name);
  }
});

test("the README and the guide name every adapter", () => {
  for (const entry of Object.keys(config.exports)) {
    if (entry === "." || entry === "./forward") continue;
    assert(textOf("README.md").includes(`\`${entry.slice(1)}\``), entry);
    assert(textOf(".github/CONTRIBUTING.md").includes(`\`${entry}\``), entry);
  }
});

test("the README names every option of join", async () => {
  const [a, b] = memoryPair();
  const options: object = { unknown: true };
  const message = String(await rejection(join(a, b, options)));
  const names = [...message.matchAll(/'(\w+)'/g)].map(([, name = ""]) => name);
  assert(names.includes("signal") && names.includes("via"), message);
  for (const name of names) {
    if (name !== "options") assert(textOf("README.md").includes(`| \`${name}\``), name);
  }
});

test("the forwarder's manual names every flag", () => {
  for (const flag of FLAGS.keys()) assert(textOf(".github/FORWARD.md").includes(`\`${flag}`), flag);
});
