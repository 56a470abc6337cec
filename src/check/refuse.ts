// Refuses bad input; for everything in src.

import { show } from "./show.ts";

/** Throws a `Kind` that says "Cannot ACTION as 'NAME' RULE: got VALUE"; a rule is such as "must be a number". */
export function refuse(
  action: string,
  name: string,
  rule: string,
  value: unknown,
  Kind: typeof TypeError | typeof RangeError = TypeError,
): never {
  throw new Kind(`Cannot ${action} as '${name}' ${rule}: got ${show(value)}`);
}

/** Whether `value` is an integer from `least` to `most`. */
export function isSize(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && value as number >= least && value as number <= most;
}

/** Refuses a number of bytes that is no integer from `least` to `most`. */
export function assertSize(
  action: string,
  name: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (isSize(value, least, most)) return;
  refuse(action, name, `must be an integer of ${least} to ${most} bytes`, value, RangeError);
}

/** Refuses an unknown option, unless it is `undefined`: a misspelt option would silently do nothing. */
export function assertKnown(action: string, options: object, known: readonly string[]): void {
  const names = Object.keys(options);
  const stray = names.find((name) =>
    !known.includes(name) && (options as Record<string, unknown>)[name] !== undefined
  );
  if (stray === undefined) return;
  const list = known.map((name) => `'${name}'`).join(", ");
  refuse(action, "options", `must have no more than ${list}`, stray);
}
