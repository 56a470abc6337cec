/** Two pages, each in a process of its own, and a data channel between them. */
import { join, memoryPair } from "@webstreams/join";
import { fromDataChannel } from "@webstreams/join/webrtc";
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { hashOf } from "../support/parcels.ts";
import { FarEnd } from "../peer/far_end.ts";
import { PairWire } from "../peer/wires/memory.ts";
import { deferred } from "../support/async.ts";
import { connectionOfPage, described } from "../support/webrtc.ts";
import type { Description } from "../support/webrtc.d.ts";

const on = ["chromium", "firefox"] as const;
const MIB = 1024 * 1024;

/** What the pages say to each other besides. */
interface Word {
  readonly ready?: true;
  readonly offer?: Description;
  readonly answer?: Description;
  readonly ended?: string;
  readonly over?: true;
}

/** The other page: it sends back what it gets, and its connection is closed once its join has settled. */
export function echo(signals: BroadcastChannel): void {
  const tell = (word: Word) => signals.postMessage(word);
  signals.onmessage = async ({ data: { offer, over } }: { data: Word }) => {
    if (over) (globalThis as { close?(): void }).close?.();
    if (!offer) return;
    const connection = connectionOfPage();
    connection.addEventListener("datachannel", async ({ channel }) => {
      const [near, other] = memoryPair();
      new FarEnd(new PairWire(other), { echo: true });
      const ended = await join(fromDataChannel(channel), near).then(
        ({ ended, aToB, bToA }) => `${ended} ${aToB.bytes} ${bToA.bytes}`,
        String,
      );
      connection.close();
      tell({ ended });
    });
    await connection.setRemoteDescription(offer);
    tell({ answer: await described(connection, await connection.createAnswer()) });
  };
  tell({ ready: true });
}

test("a data channel between two pages", { on }, async () => {
  const name = crypto.randomUUID();
  const signals = new BroadcastChannel(name);
  const [ready, answered, ended] = [deferred<void>(), deferred<Description>(), deferred<string>()];
  signals.onmessage = ({ data }: { data: Word }) => {
    if (data.ready) ready.resolve();
    if (data.answer) answered.resolve(data.answer);
    if (data.ended) ended.resolve(data.ended);
  };
  openPage(`(await import("${import.meta.url}")).echo(new BroadcastChannel("${name}"));`);
  await ready.promise;

  const connection = connectionOfPage();
  const end = fromDataChannel(connection.createDataChannel("pages"));
  signals.postMessage(
    { offer: await described(connection, await connection.createOffer()) } satisfies Word,
  );
  await connection.setRemoteDescription(await answered.promise);
  const [near, other] = memoryPair();
  const local = new FarEnd(new PairWire(other));
  const joined = join(end, near);
  const much = { bytes: 4 * MIB + 1, seed: 1 };
  await local.send(much);
  await local.finish();
  const { hash, ended: { how } } = await local.until({ ended: true });
  assertEquals([hash, how], [hashOf(much), "eof"]);
  assertEquals((await joined).ended, "eof");
  connection.close();
  assertEquals(await ended.promise, `eof ${much.bytes} ${much.bytes}`);
  signals.postMessage({ over: true } satisfies Word);
  signals.close();
});

/** In a process of its own, as nothing ties it to this one. */
function openPage(script: string): void {
  const { open, testEnvironment } = globalThis as {
    open?(url: string, target: string, features: string): void;
    testEnvironment?: unknown;
  };
  const html = `<!doctype html><script type="module">
globalThis.testEnvironment = ${JSON.stringify(testEnvironment)};
${script}
</script>`;
  open!(URL.createObjectURL(new Blob([html], { type: "text/html" })), "_blank", "noopener");
}
