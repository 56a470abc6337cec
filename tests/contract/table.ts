/**
 * Writes the table of capabilities into `.github/ENDS.md`, between two markers.
 *
 *     deno run -A tests/contract/table.ts           # writes it
 *     deno run -A tests/contract/table.ts --check   # fails if it is not up to date
 *
 * @module
 */
import { type Capabilities, capabilities } from "./capabilities.ts";

const OPEN = "<!-- capabilities -->";
const CLOSE = "<!-- /capabilities -->";

const NAMES: Readonly<Record<string, string>> = {
  deno: "Deno",
  bun: "Bun",
  node: "Node",
  workerd: "workerd",
  chromium: "Chromium",
  firefox: "Firefox",
  webkit: "WebKit",
};

const columns: readonly (readonly [title: string, cell: (can: Capabilities) => string])[] = [
  ["half-close", ({ halfCloseOut, halfCloseIn, halfCloseInWhileWriting }) => {
    return halfCloseInWhileWriting ? "yes; early end fails" : both(halfCloseOut, halfCloseIn);
  }],
  ["reset seen", ({ resetSeen, resetWhileWriting }) => {
    if (resetWhileWriting) return "but in a write: crash";
    return resetSeen === "unread" ? "with unread input" : mark(resetSeen);
  }],
  ["abort shows", ({ abortShows }) => SHOWN[abortShows]],
  ["codes", ({ codeIn, codeOut, closeCodes }) => {
    return closeCodes === "page" ? "a page's" : both(codeIn, codeOut);
  }],
  [
    "backpressure",
    ({ backpressureIn, backpressureOut }) => both(!!backpressureOut, !!backpressureIn),
  ],
  ["BYOB", ({ byob }) => mark(byob)],
];

const SHOWN: Readonly<Record<Capabilities["abortShows"], string>> = {
  reset: "yes",
  closed: "as the session's end",
  eof: "as a clean end",
  open: "no",
};

function mark(can: boolean): string {
  return can ? "yes" : "no";
}

function both(out: boolean, back: boolean): string {
  return out === back ? mark(out) : out ? "out alone" : "in alone";
}

function nameOf(platform: string): string {
  const [, runtime, version, role] = platform.match(/^([a-z]+)(\d*)(.*)$/) ?? [];
  return `${NAMES[runtime]}${version && ` ${version}`}${role.replace(" ", ", ")}`;
}

/** The table: a row for each adapter and what it can do on each platform; equal ones share it. */
export function table(): string {
  const rows = new Map<string, { adapter: string; platforms: string[]; cells: string[] }>();
  for (const [adapter, platforms] of Object.entries(capabilities)) {
    if (adapter === "memory") continue;
    for (const [platform, can] of Object.entries<Capabilities>(platforms)) {
      const cells = columns.map(([, cell]) => cell(can));
      const key = JSON.stringify([adapter, cells]);
      const row = rows.get(key) ?? { adapter, platforms: [], cells };
      row.platforms.push(nameOf(platform));
      rows.set(key, row);
    }
  }
  const head = ["end", "on", ...columns.map(([title]) => title)];
  const lines = [
    head,
    head.map(() => "---"),
    ...[...rows.values()].map(({ adapter, platforms, cells }) => [
      `\`${adapter}\``,
      platforms.join("; "),
      ...cells,
    ]),
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

async function formatted(markdown: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=md", "-"],
    cwd: new URL("../..", import.meta.url),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(markdown));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout);
}

if (import.meta.main) {
  const file = new URL("../../.github/ENDS.md", import.meta.url);
  const page = await Deno.readTextFile(file);
  const [before, rest] = page.split(OPEN);
  const [, after] = rest?.split(CLOSE) ?? [];
  if (after === undefined) {
    console.error(`ENDS.md lacks the markers ${OPEN} and ${CLOSE}`);
    Deno.exit(1);
  }
  const updated = await formatted(`${before}${OPEN}\n\n${table()}\n${CLOSE}${after}`);
  if (Deno.args.includes("--check")) {
    if (updated === await formatted(page)) Deno.exit(0);
    console.error(
      "ENDS.md's table of capabilities is stale: deno run -A tests/contract/table.ts",
    );
    Deno.exit(1);
  }
  await Deno.writeTextFile(file, updated);
}
