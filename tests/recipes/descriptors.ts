/**
 * What a recipe holds open, seen from outside, on Linux.
 *
 * @module
 */
import { readdirSync, readlinkSync } from "node:fs";
import type { Program } from "../tools/program.ts";

/** How many of its descriptors are sockets. */
export function sockets({ child }: Program): number {
  const folder = `/proc/${child.pid}/fd`;
  let count = 0;
  for (const name of readdirSync(folder)) {
    try {
      if (readlinkSync(`${folder}/${name}`).startsWith("socket:")) count++;
    } catch {
      // It has been closed meanwhile.
    }
  }
  return count;
}
