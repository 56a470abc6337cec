// The text of `--help`; for the forwarder's program alone.

import { FLAGS } from "./flags.ts";

const HEAD = `Forward connections: what a client sends goes to the target, and back.

Usage: deno task forward [flags] [LISTEN TARGET]

  LISTEN   tcp://host:port (port 0: any free port) or unix:/path
  TARGET   tcp://host:port, unix:/path, echo: (sends everything back) or
           discard: (reads everything, sends nothing)

Without addresses: tcp://127.0.0.1:8080 echo:

`;

const FOOT = `
DURATION is 500ms, 30s, 5m, 1h; SIZE is 512, 64KiB, 10MB.

On SIGINT, SIGTERM or SIGHUP the forwarder stops listening, lets open connections finish for
--grace, then cuts them; a second signal cuts them at once. Exit codes: 0 after that, 1 if it
cannot listen, 2 on a usage error.
`;

/** The text of `--help`: lines, each with its end. */
export function helpText(): string {
  let text = `${HEAD}Flags:\n`;
  for (const [name, { value, help }] of FLAGS) {
    const label = value === undefined ? name : `${name} ${value}`;
    const [first, ...rest] = help;
    text += `  ${label.padEnd(LABEL)}  ${first}\n`;
    for (const line of rest) text += `  ${" ".repeat(LABEL)}  ${line}\n`;
  }
  return text + FOOT;
}

const LABEL = "--half-close-timeout DURATION".length;
