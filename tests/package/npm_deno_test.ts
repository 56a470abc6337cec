/** The npm package: installed, resolved and type-checked as Node's and Bun's users do it. */
import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { test } from "../harness.ts";
import { npmInstall, specOf } from "../tools/npm.ts";
import { root, run } from "../tools/process.ts";

const TIMEOUT_MS = 170_000;

const NODE_USER = `
import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Duplex } from "node:stream";
import { join, memoryPair, pipe, type JoinResult } from "@webstreams/join";
import { MessageChannel } from "node:worker_threads";
import { fromMessagePort } from "@webstreams/join/message_port";
import { fromNodeSocket } from "@webstreams/join/node";
import { fromSocket, type SocketLike } from "@webstreams/join/socket";
import { fromWebSocket } from "@webstreams/join/websocket";
import { fromDataChannel } from "@webstreams/join/webrtc";
import { fromWebTransport } from "@webstreams/join/webtransport";
import { WebSocket as Ws } from "ws";

export async function relay(client: Socket, secure: TLSSocket, any: Duplex, ws: Ws, api: SocketLike): Promise<number> {
  const results: JoinResult[] = [
    await join(fromNodeSocket(client), fromNodeSocket(connect(80)), { idleTimeout: 1000 }),
    await join(fromNodeSocket(secure), fromNodeSocket(any)),
    await join(fromWebSocket(ws), memoryPair()[0]),
    await join(fromMessagePort(new MessageChannel().port1), fromSocket(api, { allowHalfOpen: true })),
    await join(fromWebSocket(new WebSocket("ws://localhost")), memoryPair()[0]),
    await join(fromDataChannel(new RTCPeerConnection().createDataChannel("")), memoryPair()[0]),
  ];
  await pipe(new Blob(["x"]).stream(), new WritableStream());
  return results[0]!.aToB.bytes + fromWebTransport.length;
}
`;

const BUN_USER = `
import { join } from "@webstreams/join";
import { fromBunSocket, handlers } from "@webstreams/join/bun";
import { fromWebSocket } from "@webstreams/join/websocket";

Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  allowHalfOpen: true,
  socket: {
    ...handlers,
    async open(socket) {
      const upstream = await Bun.connect({
        hostname: "127.0.0.1",
        port: 80,
        allowHalfOpen: true,
        socket: handlers,
      });
      await join(fromBunSocket(socket), fromBunSocket(upstream));
      await join(fromBunSocket(socket), fromWebSocket(new WebSocket("ws://localhost")));
    },
  },
});
`;

const users = { node: NODE_USER, bun: BUN_USER };
const dependencies = {
  node: [specOf("@types/node"), specOf("@types/ws"), specOf("ws")],
  bun: [specOf("@types/bun")],
};

test("the package installs, and its types are right for every resolution", {
  timeout: TIMEOUT_MS,
}, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const tarball = `${folder}/package.tgz`;
    await succeeds([Deno.execPath(), "pack", "--allow-dirty", `--output=${tarball}`], root);
    await Deno.writeTextFile(`${folder}/package.json`, `{ "private": true }`);
    await npmInstall(folder, [specOf("@arethetypeswrong/cli"), specOf("typescript")]);
    const bin = `${folder}/node_modules/.bin`;

    const report = await succeeds(
      [`${bin}/attw`, tarball, "--profile", "esm-only", "--format", "ascii", "--no-color"],
      folder,
    );
    for (const entry of Object.keys(config.exports)) {
      const name = entry.replace(/^\.\/?/, "/").replace(/\/$/, "");
      assert(report.includes(`"${config.name}${name}"`), `${name} is in the report\n${report}`);
    }

    await Promise.all((["node", "bun"] as const).map(async (user) => {
      const project = `${folder}/${user}`;
      await Deno.mkdir(project);
      await Deno.writeTextFile(`${project}/package.json`, `{ "private": true, "type": "module" }`);
      await Deno.writeTextFile(`${project}/user.ts`, users[user]);
      await npmInstall(project, [tarball, ...dependencies[user]]);
      for (const resolution of ["node16", "bundler"]) {
        const module = resolution === "node16" ? "node16" : "preserve";
        await succeeds([
          ...[`${bin}/tsc`, "--noEmit", "--strict", "--skipLibCheck", "false"],
          ...["--target", "es2022", "--module", module, "--moduleResolution", resolution],
          ...["--lib", "es2024,dom,dom.iterable,dom.asynciterable", "--types", user],
          "user.ts",
        ], project);
      }
    }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function succeeds(command: readonly string[], cwd: string): Promise<string> {
  const { success, output } = await run(command, { cwd });
  assertEquals(success, true, `${command.join(" ")}\n${output}`);
  return output;
}
