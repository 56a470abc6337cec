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

test("a file that is no socket is refused, and left alone", async () => {
  using directory = t.temporaryDirectory();
  const file = `${directory.path}/file`;
  Deno.writeTextFileSync(file, "precious");
  Deno.symlinkSync(file, `${directory.path}/link`);
  for (const path of [file, `${directory.path}/link`, directory.path]) {
    await assertRejects(
      () => forward({ listen: `unix:${path}`, target: "echo:" }),
      TypeError,
      `Cannot forward as 'listen' must name a socket or no file yet: got "unix:${path}"`,
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

test("a unix socket that has taken the path meanwhile is left alone", async () => {
  using directory = t.temporaryDirectory();
  const path = `${directory.path}/socket`;
  const listen = `unix:${path}`;
  await using old = await t.Local.start({ listen });
  using early = await old.connect();
  await t.send(early, "one");
  assertEquals(await t.receive(early, 3), "one");
  // As a restart without a gap does it.
  Deno.removeSync(path);
  await using next = await t.Local.start({ listen });
  const shutdown = old.forwarder.shutdown();
  assertEquals(await t.exchange(early, "two"), "two");
  await shutdown;
  using client = await next.connect();
  assertEquals(await t.exchange(client, "next"), "next");
  await next.forwarder.shutdown();
  assertEquals([...Deno.readDirSync(directory.path)], []);
});

test("one of many forwarders that want a path at once gets it", async () => {
  using directory = t.temporaryDirectory();
  const listen = `unix:${directory.path}/socket`;
  const starts = Array.from({ length: 10 }, () => t.Local.start({ listen }));
  const settled = await Promise.allSettled(starts);
  const started = settled.filter((each) => each.status === "fulfilled");
  assertEquals(started.length, 1);
  await using local = started[0]!.value;
  using client = await local.connect();
  assertEquals(await t.exchange(client, "mine"), "mine");
});

test("the longest path that the system allows", async () => {
  using directory = t.temporaryDirectory();
  const path = `${directory.path}/`.padEnd(107, "long");
  await using local = await t.Local.start({ listen: `unix:${path}` });
  using client = await local.connect();
  assertEquals(await t.exchange(client, "far"), "far");

  const parent = `${directory.path}/`.padEnd(102, "d");
  Deno.mkdirSync(parent);
  await using deep = await t.Local.start({ listen: `unix:${parent}/name` });
  using other = await deep.connect();
  assertEquals(await t.exchange(other, "deep"), "deep");
});

/** Sees every mode that a path has, from a thread of its own, until told to stop. */
const WATCH = `
  const modes = new Set();
  let path;
  onmessage = ({ data }) => {
    if (data === "modes") return postMessage([...modes]);
    path = data;
    postMessage("watching");
    look();
  };
  function look() {
    for (const end = performance.now() + 20; performance.now() < end;) {
      try { modes.add(Deno.lstatSync(path).mode & 0o777); } catch {}
    }
    setTimeout(look);
  }
`;

test("a unix socket's mode is the wanted one, whatever the umask, from the first moment", async () => {
  using directory = t.temporaryDirectory();
  const path = `${directory.path}/socket`;
  const url = URL.createObjectURL(new Blob([WATCH], { type: "text/javascript" }));
  const watcher = new Worker(url, { type: "module" });
  const ask = (question: string) =>
    new Promise<unknown>((resolve) => {
      watcher.onmessage = ({ data }) => resolve(data);
      watcher.postMessage(question);
    });
  await ask(path);
  const umask = Deno.umask(0o002);
  try {
    for (let i = 0; i < 100; i++) {
      await using _local = await t.Local.start({ listen: `unix:${path}`, unixMode: 0o600 });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assertEquals(await ask("modes"), [0o600]);
    await using _open = await t.Local.start({ listen: `unix:${path}`, unixMode: 0o666 });
    assertEquals(Deno.lstatSync(path).mode! & 0o777, 0o666);
    await using _usual = await t.Local.start({ listen: `unix:${path}2` });
    assertEquals(Deno.lstatSync(`${path}2`).mode! & 0o777, 0o775);
  } finally {
    Deno.umask(umask);
    watcher.terminate();
    URL.revokeObjectURL(url);
  }
});
