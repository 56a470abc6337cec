// Names values of any kind in messages; for everything in src.

import { isObject } from "./kinds.ts";

/** Names a value in an error message. Never throws, whatever the value does when it is looked at. */
export function show(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (!isObject(value)) return String(value);
  const name = quietly(() => Object.getPrototypeOf(value)?.constructor?.name);
  return typeof name === "string" && name ? `an object (${name})` : "an object";
}

/** The name that an object of the platform has in every realm, as `"ArrayBuffer"` or `"Error"`. */
export function tagOf(value: unknown): string | undefined {
  return quietly(() => Object.prototype.toString.call(value).slice(8, -1));
}

/** The result of `look`, or `undefined` if it throws, as a proxy or a getter may. */
export function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
