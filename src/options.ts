import { BufferPool, sharedPool } from "./buffer_pool.ts";
import { show } from "./errors.ts";

const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** Reads options one by one, naming the action and the value in what it throws. */
export class OptionReader {
  readonly #action: string;

  /** @param action What is asked for, as "Cannot join". */
  constructor(action: string) {
    this.#action = action;
  }

  /** A timeout in milliseconds. */
  timeout(name: string, value: unknown, otherwise: number): number {
    if (value === undefined) return otherwise;
    const number = this.#number(name, value);
    if (number > 0 && (number <= LONGEST_TIMEOUT || number === Infinity)) return number;
    throw this.#outOfRange(
      name,
      `be more than 0 and at most ${LONGEST_TIMEOUT} milliseconds, or Infinity`,
      value,
    );
  }

  /** A number of bytes. */
  limit(name: string, value: unknown): number | undefined {
    if (value === undefined) return undefined;
    if (Number.isSafeInteger(this.#number(name, value)) && value as number > 0) {
      return value as number;
    }
    throw this.#outOfRange(name, "be a positive safe integer of bytes", value);
  }

  /** Bytes a second. */
  rate(name: string, value: unknown): number | undefined {
    if (value === undefined) return undefined;
    const number = this.#number(name, value);
    if (number > 0) return number;
    throw this.#outOfRange(name, "be more than 0 bytes a second", value);
  }

  /** The value for each direction, or end, of an option that takes one for all as well. */
  each<K extends string>(name: string, value: unknown, keys: readonly [K, K]): [unknown, unknown] {
    if (typeof value !== "object" || value === null) return [value, value];
    const values = value as Partial<Record<K, unknown>>;
    const stray = Object.keys(value).find((key) => !(keys as readonly string[]).includes(key));
    if (stray === undefined) return [values[keys[0]], values[keys[1]]];
    throw new TypeError(
      `${this.#action} as '${name}' may have '${keys[0]}' and '${keys[1]}': got '${stray}'`,
    );
  }

  boolean(name: string, value: unknown): boolean {
    if (value === undefined || typeof value === "boolean") return value ?? false;
    throw this.#wrongType(name, "a boolean", value);
  }

  /** As WebIDL takes it: `undefined` is none, `null` is wrong. */
  signal(value: unknown): AbortSignal | undefined {
    if (value === undefined) return undefined;
    const signal = value as Partial<AbortSignal> | null;
    if (
      typeof signal === "object" && signal !== null && typeof signal.aborted === "boolean" &&
      typeof signal.addEventListener === "function"
    ) return signal as AbortSignal;
    throw this.#wrongType("signal", "an AbortSignal", value);
  }

  pool(value: unknown): BufferPool {
    if (value === undefined) return sharedPool;
    if (value instanceof BufferPool) return value;
    throw this.#wrongType("pool", "a BufferPool", value);
  }

  /** The caller's object for live counts. */
  stats(value: unknown): object | undefined {
    if (value === undefined || typeof value === "object" && value !== null) return value;
    throw this.#wrongType("stats", "an object", value);
  }

  buffer(value: unknown): Uint8Array<ArrayBuffer> | undefined {
    if (value === undefined) return undefined;
    if (!(value instanceof Uint8Array)) throw this.#wrongType("buffer", "a Uint8Array", value);
    if (value.length > 0) return value as Uint8Array<ArrayBuffer>;
    throw this.#outOfRange("buffer", "have a length of at least 1 byte", value.length);
  }

  #number(name: string, value: unknown): number {
    if (typeof value === "number") return value;
    throw this.#wrongType(name, "a number", value);
  }

  #wrongType(name: string, what: string, value: unknown): TypeError {
    return new TypeError(`${this.#action} as '${name}' must be ${what}: got ${show(value)}`);
  }

  #outOfRange(name: string, rule: string, value: unknown): RangeError {
    return new RangeError(`${this.#action} as '${name}' must ${rule}: got ${show(value)}`);
  }
}
