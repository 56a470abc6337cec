/** What the README quotes of the tested recipes is what they are. */
import { assert, assertEquals } from "@std/assert";
import { test } from "./harness.ts";
import { root } from "./run/process.ts";

const QUOTE = /<!-- (tests\/\S+\.ts) -->\n+```ts ignore\n([\s\S]*?)```/g;

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
