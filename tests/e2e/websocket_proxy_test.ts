/** A page's WebSocket ⇄ the proxies of Deno and Bun ⇄ a WebSocket of `ws`: messages as they are, and closes. */
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { listen } from "../peer/client.ts";
import { RemoteProgram } from "./remote_program.ts";

const SENT: readonly (string | number[])[] = [
  "text",
  "",
  [0, 255],
  [],
  "ü".repeat(40_000),
  Array.from({ length: 70_000 }, (_, at) => at % 251),
];

const proxies = [["deno", "websocket_proxy"], ["bun", "websocket_proxy_bun"]] as const;

for (const [on, name] of proxies) {
  const options = { on: ["chromium", "firefox", "webkit"] } as const;

  test(`e2e: a page, ${name}: messages and a page's close`, options, async () => {
    const target = await listen("websocket", { echo: true });
    const proxy = await RemoteProgram.start(on, name, 0, target.address.url);
    const { socket, closed, until } = watched(`ws://127.0.0.1:${proxy.port}/`);
    try {
      await new Promise((resolve) => socket.onopen = resolve);
      for (const message of SENT) {
        socket.send(typeof message === "string" ? message : Uint8Array.from(message));
      }
      assertEquals(await until(SENT.length), SENT);
      socket.close(4321, "bye");
      const { ended } = await target.until({ ended: true });
      assertEquals(ended, { how: "reset", code: 4321, reason: "bye" });
      assertEquals((await closed).code, 4321);
    } finally {
      socket.close();
      await proxy.stop();
      await target.dispose();
    }
  });

  test(`e2e: a page, ${name}: a target's close`, options, async () => {
    for (
      const [code, reason] of [[1000, "done"], [1001, "ü"], [1011, "why"], [4999, ""]] as const
    ) {
      const target = await listen("websocket");
      const proxy = await RemoteProgram.start(on, name, 0, target.address.url);
      const { socket, closed } = watched(`ws://127.0.0.1:${proxy.port}/`);
      try {
        await target.close(code, reason);
        const close = await closed;
        assertEquals([close.code, close.reason], [code, reason]);
      } finally {
        socket.close();
        await proxy.stop();
        await target.dispose();
      }
    }
  });
}

function watched(url: string) {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const came: (string | number[])[] = [];
  let wake = () => {};
  socket.onmessage = ({ data }) => {
    came.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
    wake();
  };
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  const until = async (count: number) => {
    while (came.length < count) await new Promise<void>((resolve) => wake = resolve);
    return came;
  };
  return { socket, closed, until };
}
