import { assert, assertEquals, assertRejects } from "@std/assert";
import { forward } from "../../src/forward/main.ts";
import { test } from "../harness.ts";
import * as t from "./helper.ts";

test("an address in use is an error that names it", async () => {
  await using local = await t.Local.start();
  const { address } = local.forwarder;
  const error = await assertRejects(
    () => forward({ listen: address, target: "echo:" }),
    Error,
    `Cannot listen on ${address}: Address already in use`,
  );
  assert(error.cause instanceof Deno.errors.AddrInUse);
});

test("a unix socket that is listened on is an error, and left alone", async () => {
  using directory = t.temporaryDirectory();
  const listen = `unix:${directory.path}/live`;
  await using local = await t.Local.start({ listen });
  await assertRejects(
    () => forward({ listen, target: "discard:" }),
    Error,
    `Cannot listen on ${listen}: Address already in use`,
  );
  using client = await local.connect();
  assertEquals(await t.exchange(client, "alive"), "alive");
});

test("a stale unix socket is replaced", async () => {
  using directory = t.temporaryDirectory();
  const path = `${directory.path}/stale`;
  {
    // A hard link outlives the listener's own name, which goes when it is closed.
    using _listener = Deno.listen({ transport: "unix", path: `${path}-first` });
    Deno.linkSync(`${path}-first`, path);
  }
  assert(Deno.lstatSync(path).isSocket);
  await using local = await t.Local.start({ listen: `unix:${path}` });
  using client = await local.connect();
  assertEquals(await t.exchange(client, "fresh"), "fresh");
});

test("what is no socket is a usage error, and left alone", async () => {
  using directory = t.temporaryDirectory();
  const file = `${directory.path}/file`;
  Deno.writeTextFileSync(file, "precious");
  Deno.symlinkSync(file, `${directory.path}/link`);
  for (const path of [file, `${directory.path}/link`, directory.path]) {
    await assertRejects(
      () => forward({ listen: `unix:${path}`, target: "echo:" }),
      TypeError,
      `Cannot listen on unix:${path} as the path must be free or a socket`,
    );
  }
  assertEquals(Deno.readTextFileSync(file), "precious");
});

test("a unix socket's file goes with the listener", async () => {
  using directory = t.temporaryDirectory();
  const listen = `unix:${directory.path}/socket`;
  const local = await t.Local.start({ listen });
  assert(Deno.lstatSync(`${directory.path}/socket`).isSocket);
  await local.forwarder.shutdown();
  assertEquals([...Deno.readDirSync(directory.path)], []);

  const once = await t.Local.start({ listen, once: true });
  using client = await once.connect();
  await t.exchange(client, "");
  await once.forwarder.finished;
  assertEquals([...Deno.readDirSync(directory.path)], []);
});

test("a directory that is not there is an error that names the address", async () => {
  using directory = t.temporaryDirectory();
  const listen = `unix:${directory.path}/none/socket`;
  await assertRejects(
    () => forward({ listen, target: "echo:" }),
    Error,
    `Cannot listen on ${listen}: No such file or directory`,
  );
});
