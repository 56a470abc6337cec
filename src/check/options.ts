// Reads options and refuses bad ones; for `join`, `pipe` and the forwarder.

import { bytesOf } from "./bytes.ts";
import { isFunction, isObject } from "./kinds.ts";
import { refuse } from "./refuse.ts";
import { tagOf } from "./show.ts";

/** What a timer bears, in milliseconds. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Reads options one by one, naming the action and the value in what it throws. */
export class OptionReader {
  readonly #action: string;

  /** @param action What is asked for, as "join". */
  constructor(action: string) {
    this.#action = action;
  }

  /** A timeout in milliseconds. */
  timeout(name: string, value: unknown): number | undefined {
    const rule = `must be more than 0 and at most ${MAX_TIMEOUT_MS} milliseconds, or Infinity`;
    const inRange = (ms: number) => ms > 0 && (ms <= MAX_TIMEOUT_MS || ms === Infinity);
    return this.#number(name, value, inRange, rule);
  }

  /** A number of bytes. */
  limit(name: string, value: unknown): number | undefined {
    const inRange = (bytes: number) => bytes > 0 && Number.isSafeInteger(bytes);
    return this.#number(name, value, inRange, "must be a positive safe integer of bytes");
  }

  /** Bytes a second. */
  rate(name: string, value: unknown): number | undefined {
    return this.#number(name, value, (rate) => rate > 0, "must be more than 0 bytes a second");
  }

  /** An option for each of two keys that may be one for both as well: what `read` makes of it. */
  each<K extends string, T>(
    name: string,
    value: unknown,
    keys: readonly [K, K],
    read: (value: unknown) => T,
  ): Record<K, T> {
    const [first, second] = keys;
    const values =
      (typeof value === "object" && value !== null
        ? value
        : { [first]: value, [second]: value }) as Record<K, unknown>;
    const stray = Object.keys(values).find((key) => key !== first && key !== second);
    this.#must(stray === undefined, name, stray, `have no more than '${first}' and '${second}'`);
    return { [first]: read(values[first]), [second]: read(values[second]) } as Record<K, T>;
  }

  /** One of two words, the first of which is the default. */
  word<const T extends string>(name: string, value: unknown, words: readonly [T, T]): T {
    const isWord = words.includes(value as T);
    return this.#must<T>(isWord, name, value, `be "${words[0]}" or "${words[1]}"`) ?? words[0];
  }

  boolean(name: string, value: unknown): boolean {
    return this.#must(typeof value === "boolean", name, value, "be a boolean") ?? false;
  }

  /** As WebIDL takes it: `undefined` is none, `null` is wrong. */
  signal(value: unknown, name = "signal"): AbortSignal | undefined {
    const isSignal = isFunction(value, "addEventListener") &&
      isFunction(value, "removeEventListener") &&
      typeof (value as AbortSignal).aborted === "boolean";
    return this.#must(isSignal, name, value, "be an AbortSignal");
  }

  /** An object of a class, which is named here: a minifier changes the class's own name. */
  instance<T extends object>(
    name: string,
    value: unknown,
    Class: new (...args: never[]) => T,
    className: string,
  ): T | undefined {
    return this.#must<T>(value instanceof Class, name, value, `be a ${className}`);
  }

  /** The caller's object for live counts. */
  stats(value: unknown): object | undefined {
    return this.#must(isObject(value), "stats", value, "be an object");
  }

  buffer(value: unknown): Uint8Array<ArrayBuffer> | undefined {
    this.#must(tagOf(value) === "Uint8Array", "buffer", value, "be a Uint8Array");
    const buffer = bytesOf(value);
    if (buffer?.length === 0) {
      refuse(this.#action, "buffer", "must have a length of at least 1 byte", 0, RangeError);
    }
    return buffer;
  }

  #number(
    name: string,
    value: unknown,
    inRange: (value: number) => boolean,
    rule: string,
  ): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "number") refuse(this.#action, name, rule, value);
    if (!inRange(value)) refuse(this.#action, name, rule, value, RangeError);
    return value;
  }

  /** The value, if it is given and keeps the rule. */
  #must<T>(holds: boolean, name: string, value: unknown, rule: string): T | undefined {
    if (value !== undefined && !holds) refuse(this.#action, name, `must ${rule}`, value);
    return value as T | undefined;
  }
}
