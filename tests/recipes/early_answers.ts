/**
 * A server that answers before it has all, and goes; and a client that uploads to it: curl, as real
 * clients stop at an early answer, and one that Node destroys would not even see it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { TestServer, text } from "./peers.ts";

const UPLOAD_BYTES = 20_000_000;
const BODY = "too large\n";
const ANSWER = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n" +
  `Content-Length: ${BODY.length}\r\n\r\n${BODY}`;

/**
 * Refuses each upload once it has begun.
 *
 * @param ends Whether it sends an end of file behind its answer; else a reset is what comes, as it closes on
 * top of what it has not read.
 */
export function earlyAnswers(ends: boolean): TestServer {
  return new TestServer((socket) => {
    socket.once("data", () => {
      socket.pause();
      if (!ends) return void socket.write(ANSWER, () => socket.destroy());
      socket.end(ANSWER, () => {
        const timer = setTimeout(() => socket.destroy(), 50);
        socket.once("close", () => clearTimeout(timer));
      });
    });
  });
}

/** Every upload through the port is answered. */
export async function answered(port: number, uploads: number): Promise<void> {
  const file = join(tmpdir(), `upload-${process.pid}-${port}`);
  await writeFile(file, new Uint8Array(UPLOAD_BYTES));
  try {
    const answers: string[] = [];
    for (let upload = 0; upload < uploads; upload++) {
      const url = `http://127.0.0.1:${port}/`;
      const said = ["--silent", "--max-time", "20", "--write-out", "%{http_code}"];
      const curl = spawn("curl", [...said, "--header", "Expect:", "--upload-file", file, url], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      answers.push(await text(curl.stdout));
    }
    assertEquals(answers, Array(uploads).fill(`${BODY}413`));
  } finally {
    await rm(file);
  }
}
