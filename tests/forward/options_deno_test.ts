import { assertEquals, assertRejects } from "@std/assert";
import { forward, type ForwardOptions } from "../../src/forward/main.ts";
import { test } from "../harness.ts";
import { temporaryDirectory } from "./helper.ts";

/** Options as untyped code may give them. */
function untyped(json: unknown): ForwardOptions {
  return JSON.parse(JSON.stringify(json));
}

const MESSAGES: [Partial<ForwardOptions>, new (message: string) => Error, string][] = [
  [{ listen: "x" }, TypeError, "Cannot forward as 'listen' must be"],
  [
    { listen: "tcp://a:70000" },
    RangeError,
    "Cannot forward as 'listen' must have a port of 0 to 65535",
  ],
  [{ target: "x" }, TypeError, "Cannot forward as 'target' must be"],
  [
    { target: "tcp://a:0" },
    RangeError,
    "Cannot forward as 'target' must have a port of 1 to 65535",
  ],
  [
    { listen: "tcp://127.0.0.1:5", target: "tcp://127.0.0.1:5" },
    TypeError,
    "Cannot forward as 'target' must be another address than 'listen': got \"tcp://127.0.0.1:5\"",
  ],
  [{ limit: 0 }, RangeError, "Cannot forward as 'limit' must "],
  [{ limit: 1.5 }, RangeError, "got 1.5"],
  [{ limit: 2 ** 53 }, RangeError, "got 9007199254740992"],
  [{ maxConnections: 0 }, RangeError, "Cannot forward as 'maxConnections' must "],
  [{ maxConnections: 1.5 }, RangeError, "got 1.5"],
  [{ maxConnections: NaN }, RangeError, "got NaN"],
  [{ workers: 0 }, RangeError, "Cannot forward as 'workers' must be a positive integer: got 0"],
  [{ workers: 1.5 }, RangeError, "got 1.5"],
  [{ workers: Infinity }, RangeError, "got Infinity"],
  [
    { workers: 3, maxConnections: 2 },
    RangeError,
    "Cannot forward as 'workers' must be at most 'maxConnections', 2: got 3",
  ],
  [{ workers: 2, once: true }, TypeError, "'workers' must be 1 with 'once': got 2"],
  [
    { workers: 2, listen: "unix:/tmp/x" },
    TypeError,
    "'workers' takes a TCP address to listen on: got \"unix:/tmp/x\"",
  ],
  [
    { reusePort: true, listen: "unix:/tmp/x" },
    TypeError,
    "'reusePort' takes a TCP address to listen on: got \"unix:/tmp/x\"",
  ],
  [
    { unixMode: 0o660, listen: "tcp://127.0.0.1:0" },
    TypeError,
    "'unixMode' takes a Unix socket to listen on: got \"tcp://127.0.0.1:0\"",
  ],
  [{ unixMode: -1 }, RangeError, "Cannot forward as 'unixMode' must be an integer from 0 to 0o777"],
  [{ unixMode: 0o1000 }, RangeError, "got 512"],
  [{ unixMode: 1.5 }, RangeError, "got 1.5"],
  [{ rate: 0 }, RangeError, "Cannot forward as 'rate' must "],
  [{ rate: NaN }, RangeError, "got NaN"],
  [{ grace: -1 }, RangeError, "Cannot forward as 'grace' must "],
];

const WRONG_TYPES = {
  listen: 5,
  target: null,
  limit: "5",
  rate: "5",
  grace: "5s",
  maxConnections: "5",
  idleTimeout: "5",
  halfCloseTimeout: true,
  halfClose: true,
  maxDuration: "1h",
  connectTimeout: [],
  once: 1,
  workers: "5",
  reusePort: 1,
  unixMode: "660",
  openEvents: "yes",
  signal: 1,
  onEvent: 1,
};
for (const [name, value] of Object.entries(WRONG_TYPES)) {
  MESSAGES.push([untyped({ [name]: value }), TypeError, `Cannot forward as '${name}' must be `]);
}

for (const name of ["idleTimeout", "halfCloseTimeout", "maxDuration", "connectTimeout"] as const) {
  for (const value of [0, -1, NaN, 2 ** 31, -Infinity]) {
    MESSAGES.push([
      { [name]: value },
      RangeError,
      `Cannot forward as '${name}' must `,
    ]);
  }
}

test("a bad option is named, before anything is opened", async () => {
  using directory = temporaryDirectory();
  const listen = `unix:${directory.path}/socket`;
  for (const [options, type, message] of MESSAGES) {
    await assertRejects(() => forward({ listen, target: "echo:", ...options }), type, message);
  }
  await assertRejects(() => forward(untyped(null)), TypeError, "must be an object: got null");
  assertEquals([...Deno.readDirSync(directory.path)], []);
});

test("Infinity is no bound", async () => {
  await using _forwarder = await forward({
    listen: "tcp://127.0.0.1:0",
    target: "echo:",
    idleTimeout: Infinity,
    halfCloseTimeout: Infinity,
    halfClose: "pass",
    maxDuration: Infinity,
    connectTimeout: Infinity,
    grace: Infinity,
    maxConnections: Infinity,
    rate: Infinity,
  });
});

test("an aborted signal is thrown, before anything is opened", async () => {
  using directory = temporaryDirectory();
  const signal = AbortSignal.abort(new RangeError("mine"));
  const listen = `unix:${directory.path}/socket`;
  await assertRejects(() => forward({ listen, target: "echo:", signal }), RangeError, "mine");
  assertEquals([...Deno.readDirSync(directory.path)], []);
});
