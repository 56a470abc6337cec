// The text of `--help`; for `program.ts` alone.

import { type Flag, FLAGS } from "./flags.ts";

const HEAD = `Forward connections: what a client sends goes to the target, and back.

Usage: deno task forward [flags] [LISTEN TARGET]

  LISTEN   tcp://host:port (port 0: any free port) or unix:/path
  TARGET   tcp://host:port, unix:/path, echo: (sends everything back) or
           discard: (reads everything, sends nothing)

Without addresses: tcp://127.0.0.1:8080 echo:

Flags:
`;

const FOOT = `
DURATION is 500ms, 30s, 5m, 1h; SIZE is 512, 64KiB, 10MB.

On SIGINT, SIGTERM or SIGHUP the forwarder stops listening, lets open connections finish for
--grace, then cuts them; a second signal cuts them at once. Exit codes: 0 after a shutdown or
--once, 1 if it cannot listen, 2 on a usage error.
`;

/** The width of the column that names the flags. */
const LABEL_WIDTH = "--half-close-timeout DURATION".length;

/** Returns the text of `--help`: whole lines. */
export function helpText(): string {
  return HEAD + [...FLAGS].map(([name, flag]) => flagText(name, flag)).join("") + FOOT;
}

function flagText(name: string, flag: Flag): string {
  const label = flag.kind === "switch" ? name : `${name} ${flag.placeholder}`;
  return flag.help
    .map((line, index) => `  ${(index === 0 ? label : "").padEnd(LABEL_WIDTH)}  ${line}\n`)
    .join("");
}
