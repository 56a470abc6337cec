import { FLAGS } from "./flags.ts";

const HEAD = `Forward connections: what a client sends goes to the target, and back.

Usage: deno task forward [flags] [LISTEN TARGET]

  LISTEN   tcp://host:port (port 0: any that is free) or unix:/path
  TARGET   tcp://host:port, unix:/path, echo: (sends all back) or discard: (reads all)

Without addresses: tcp://127.0.0.1:8080 echo:

`;

const FOOT = `
DURATION is 500ms, 30s, 5m, 1h; SIZE is 512, 64KiB, 10MB.

SIGINT, SIGTERM and SIGHUP stop listening, let connections finish for --grace, then close them; a
second signal closes them at once. Exits with 0 after that, 1 if it cannot listen, 2 on a usage
error.
`;

/**
 * The text of `--help`.
 *
 * @returns Lines, the last one ended too.
 */
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
