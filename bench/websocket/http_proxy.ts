/**
 * The same by `http-proxy-3`, the kept successor of `http-proxy`, on Node: it hands the handshake through,
 * and then bytes, and knows nothing of messages.
 */
import { createRequire } from "node:module";
import process from "node:process";

const { createProxyServer } = createRequire(process.env.MODULES + "/")("http-proxy-3");
createProxyServer({ target: "ws://127.0.0.1:9103", ws: true }).listen(9102, "127.0.0.1");
