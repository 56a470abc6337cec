/**
 * Lets pages reach a TCP server over WebRTC, on Node: a page posts the description of its connection, and gets
 * ours; what comes over a data channel then goes to the server.
 *
 *     node data_channel_gateway.js 8080 127.0.0.1 22
 *
 * @module
 */
import { join } from "@webstreams/join";
import { connectNodeSocket } from "@webstreams/join/node";
import { fromDataChannel } from "@webstreams/join/webrtc";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import process from "node:process";
// @ts-types="./werift.d.ts"
import { type RTCDataChannel, RTCPeerConnection } from "werift";

const [port, host, target] = process.argv.slice(2);

const server = createServer(async (request, response) => {
  try {
    const answer = await accept(await text(request));
    response.writeHead(200, { "access-control-allow-origin": "*" }).end(answer);
  } catch (error) {
    response.writeHead(400).end((error as Error).message);
  }
});

async function accept(offer: string): Promise<string> {
  // Loopback is left out otherwise; a server elsewhere needs none of this, but a STUN server.
  const connection = new RTCPeerConnection({
    iceServers: [],
    iceAdditionalHostAddresses: ["127.0.0.1"],
  });
  connection.ondatachannel = ({ channel }) => void relay(channel);
  connection.connectionStateChange.subscribe((state) => {
    // A page that is gone says nothing: this closes the channels.
    if (state === "disconnected" || state === "failed") connection.close();
  });
  await connection.setRemoteDescription({ type: "offer", sdp: offer });
  await connection.setLocalDescription(await connection.createAnswer());
  return connection.localDescription.sdp;
}

async function relay(channel: RTCDataChannel): Promise<void> {
  const page = fromDataChannel(channel); // At once: what comes meanwhile is kept.
  const upstream = connectNodeSocket(connect, { host, port: Number(target) });
  try {
    const { aToB, bToA } = await join(page, upstream, { idleTimeout: 300_000 });
    console.log(`${aToB.bytes} bytes there, ${bToA.bytes} back`);
  } catch (error) {
    console.error((error as Error).message);
  }
}

async function text(request: IncomingMessage): Promise<string> {
  let all = "";
  for await (const part of request.setEncoding("utf8")) all += part;
  return all;
}

server.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
