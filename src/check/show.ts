// Names values of any kind without ever throwing; for messages.

import { isObject } from "./kinds.ts";

/** Names a value in an error message without ever throwing itself. */
export function show(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (!isObject(value)) return String(value);
  const name = quietly(() => Object.getPrototypeOf(value)?.constructor?.name);
  return typeof name === "string" && name ? `an object (${name})` : "an object";
}

/** What a platform's own object calls itself, in any realm: `ArrayBuffer`, `Error`. */
export function tagOf(value: unknown): string | undefined {
  return quietly(() => Object.prototype.toString.call(value).slice(8, -1));
}

/** A proxy or a getter may throw. */
export function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
