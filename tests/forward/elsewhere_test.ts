import { assertRejects } from "@std/assert";
import { forward } from "../../src/forward/main.ts";
import { test } from "../harness.ts";

test("forward says that it needs Deno", { on: ["node", "bun"] }, async () => {
  await assertRejects(
    () => forward({ listen: "tcp://127.0.0.1:0", target: "echo:" }),
    Error,
    "Cannot forward as this runtime is not Deno: there is no Deno.listen",
  );
});

test("forward's options are checked first", async () => {
  await assertRejects(
    () => forward({ listen: "tcp://127.0.0.1:70000", target: "echo:" }),
    RangeError,
    `Cannot forward as 'listen' must have a port of 0 to 65535: got "tcp://127.0.0.1:70000"`,
  );
});
