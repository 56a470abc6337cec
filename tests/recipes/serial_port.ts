/**
 * Joins a serial port (Web Serial) to a WebSocket, in a page.
 *
 * @module
 */
import { join, type JoinResult, type Pair } from "@webstreams/join";
import { fromWebSocket } from "@webstreams/join/websocket";

/** What is used of the standard's: https://wicg.github.io/serial/#serialport-interface */
export interface SerialPort {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>> | null;
  open(options: { baudRate: number }): Promise<void>;
  close(): Promise<void>;
}

/** A wire has no end of file: neither half can end alone. `join` unlocks both before it closes the port. */
export function fromSerialPort(port: SerialPort): Pair {
  const { readable, writable } = port;
  if (!readable || !writable) throw new TypeError("The port is not open");
  return { readable, writable, halfClose: false, close: () => port.close() };
}

/** Relays between a device and a server, until one of them is gone. */
export async function relay(port: SerialPort, feed: WebSocket): Promise<JoinResult> {
  const socket = fromWebSocket(feed); // At once: it keeps what comes meanwhile.
  try {
    await port.open({ baudRate: 115_200 });
    // Once the server has ended the device has this long to say its last.
    return await join(fromSerialPort(port), socket, { halfCloseTimeout: 200 });
  } catch (error) {
    socket.close?.(error); // Also if there is no port to join it to.
    throw error;
  }
}
