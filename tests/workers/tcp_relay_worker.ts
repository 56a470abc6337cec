/**
 * A Worker that relays: TCP in, TCP out, to the `TARGET` (`host:port`) of its environment.
 *
 * @module
 */
import { join } from "@webstreams/join";
import { fromSocket } from "@webstreams/join/socket";
// @ts-types="./cloudflare.d.ts"
import { connect, type Socket } from "cloudflare:sockets";

const allowHalfOpen = true; // As a socket is that comes in.

export default {
  async connect(client: Socket, { TARGET }: { TARGET: string }): Promise<void> {
    const upstream = connect(TARGET, { allowHalfOpen });
    const ends = [client, upstream].map((socket) => fromSocket(socket, { allowHalfOpen }));
    try {
      const { aToB, bToA } = await join(ends[0], ends[1]);
      console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
    } catch (error) {
      console.log((error as Error).message);
    }
  },
};
