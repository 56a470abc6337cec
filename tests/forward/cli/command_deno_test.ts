import { assertEquals, assertThrows } from "@std/assert";
import { parseCommand } from "../../../src/forward/cli/command.ts";
import { FLAGS } from "../../../src/forward/cli/flags.ts";
import { helpText } from "../../../src/forward/cli/help.ts";
import { test } from "../../harness.ts";

const DEFAULT = {
  kind: "forward" as const,
  options: { listen: "tcp://127.0.0.1:8080", target: "echo:" },
  log: "text" as const,
  isDefault: true,
};

test("without arguments it is an echo on port 8080", () => {
  assertEquals(parseCommand([]), DEFAULT);
});

test("the addresses are LISTEN and TARGET, wherever the flags are", () => {
  const options = { listen: "tcp://[::1]:0", target: "discard:" };
  const command = { ...DEFAULT, options, isDefault: false };
  assertEquals(parseCommand(["tcp://[::1]:0", "discard:"]), command);
  assertEquals(parseCommand(["tcp://[::1]:0", "--log", "text", "discard:"]), command);
  assertEquals(parseCommand(["--", "tcp://[::1]:0", "discard:"]), command);
});

test("each flag is an option, with = and without", () => {
  const flags = {
    "--idle-timeout": ["30s", { idleTimeout: 30_000 }],
    "--half-close-timeout": ["500ms", { halfCloseTimeout: 500 }],
    "--half-close": ["end", { halfClose: "end" }],
    "--max-duration": ["2h", { maxDuration: 7_200_000 }],
    "--connect-timeout": ["5m", { connectTimeout: 300_000 }],
    "--grace": ["1h", { grace: 3_600_000 }],
    "--max-connections": ["3", { maxConnections: 3 }],
    "--rate": ["10MB", { rate: 10_000_000 }],
    "--limit": ["64KiB", { limit: 65536 }],
    "--unix-mode": ["660", { unixMode: 0o660 }],
  } as const;
  for (const [flag, [value, option]] of Object.entries(flags)) {
    const command = { ...DEFAULT, options: { ...DEFAULT.options, ...option } };
    assertEquals(parseCommand([flag, value]), command);
    assertEquals(parseCommand([`${flag}=${value}`]), command);
  }
  const once = { ...DEFAULT, options: { ...DEFAULT.options, once: true } };
  assertEquals(parseCommand(["--once"]), once);
  const open = { ...DEFAULT, options: { ...DEFAULT.options, openEvents: true } };
  assertEquals(parseCommand(["--log-open"]), open);
  for (const log of ["text", "json", "none"] as const) {
    assertEquals(parseCommand(["--log", log]), { ...DEFAULT, log });
    assertEquals(parseCommand([`--log=${log}`]), { ...DEFAULT, log });
  }
});

test("the last of two equal flags counts", () => {
  const options = { ...DEFAULT.options, limit: 2 };
  assertEquals(parseCommand(["--limit=1", "--limit", "2"]), { ...DEFAULT, options });
});

test("--help and --version count anywhere, even beside mistakes", () => {
  assertEquals(parseCommand(["--foo", "--help"]), { kind: "help" });
  assertEquals(parseCommand(["-h"]), { kind: "help" });
  assertEquals(parseCommand(["x", "--version"]), { kind: "version" });
  assertEquals(parseCommand(["--grace", "--help"]), { kind: "help" });
  assertThrows(() => parseCommand(["--", "--help"]), TypeError, 'got "--help"');
});

test("an error names the argument", () => {
  const mistakes: [string[], string][] = [
    [["--idel-timeout", "1s"], "Unknown flag '--idel-timeout': see --help"],
    [["-o"], "Unknown flag '-o': see --help"],
    [["-"], "Unknown flag '-': see --help"],
    [["--once=1"], "Cannot forward as '--once' takes no value: got \"--once=1\""],
    [["--log-open=1"], "Cannot forward as '--log-open' takes no value: got \"--log-open=1\""],
    [["--help=1"], "Cannot forward as '--help' takes no value: got \"--help=1\""],
    [["--grace"], "Missing value after '--grace'"],
    [["--grace", "--once"], "Cannot forward as '--grace' must be a number and ms, s, m or h"],
    [["--grace="], "Cannot forward as '--grace' must be a number and ms, s, m or h"],
    [["--log", "xml"], "Cannot forward as '--log' must be text, json or none: got \"xml\""],
    [["tcp://a:1"], "Missing argument TARGET after 'tcp://a:1'"],
    [["tcp://a:1", "echo:", "b"], "Unexpected argument 'b'"],
    [["a", "echo:"], "Cannot forward as 'LISTEN' must be"],
    [["tcp://a:1", "a"], "Cannot forward as 'TARGET' must be"],
  ];
  for (const [args, message] of mistakes) {
    assertThrows(() => parseCommand(args), TypeError, message);
  }
  for (const [flag, { kind }] of FLAGS) {
    if (kind === "switch") continue;
    assertThrows(() => parseCommand([flag, "0"]), Error, `Cannot forward as '${flag}' must be `);
    assertThrows(() => parseCommand([`${flag}=-1`]), Error, `Cannot forward as '${flag}' must be `);
    assertThrows(
      () => parseCommand([`${flag}=NaN`]),
      Error,
      `Cannot forward as '${flag}' must be `,
    );
  }
});

test("the help fits into 100 columns and has every flag", () => {
  const lines = helpText().split("\n");
  assertEquals(lines.filter((line) => line.length > 100), []);
  for (const flag of FLAGS.keys()) {
    assertEquals(lines.filter((line) => line.startsWith(`  ${flag} `)).length, 1, flag);
  }
});
