/** Same type, same content, on and on; `0` and `-0` differ, as they do for `Object.is`. */
export function equal(a: unknown, b: unknown): boolean {
  return same(a, b, new Map());
}

/** @param pairs What is being compared further up: reached again, it is a cycle. */
function same(
  a: unknown,
  b: unknown,
  pairs: Map<object, Set<object>>,
): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (Array.isArray(a) !== Array.isArray(b) || isOpaque(a)) return false;
  const others = pairs.get(a) ?? new Set();
  if (others.has(b)) return true;
  pairs.set(a, others.add(b));
  const deeply = (one: unknown, other: unknown) => same(one, other, pairs);
  try {
    return sameContent(a, b, deeply) && sameProperties(a, b, deeply);
  } finally {
    others.delete(b);
  }
}

type Compare = (a: unknown, b: unknown) => boolean;

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** What they hold cannot be seen. */
function isOpaque(value: object): boolean {
  return [Promise, WeakMap, WeakSet, WeakRef].some((type) => value instanceof type);
}

/** What is not among their properties. */
function sameContent(a: object, b: object, deeply: Compare): boolean {
  if (
    a instanceof Date || a instanceof Number || a instanceof String ||
    a instanceof Boolean
  ) {
    return Object.is(a.valueOf(), b.valueOf());
  }
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof Error && b instanceof Error) {
    return a.name === b.name && a.message === b.message &&
      deeply(a.cause, b.cause);
  }
  if (a instanceof Set && b instanceof Set) return sameEntries(a, b, deeply);
  if (a instanceof Map && b instanceof Map) return sameEntries(a, b, deeply);
  const [bytes, others] = [bytesOf(a), bytesOf(b)];
  return bytes.length === others.length &&
    bytes.every((byte, at) => byte === others[at]);
}

/** Each of one has its match in the other, in whatever order. */
function sameEntries(
  a: Iterable<unknown>,
  b: Iterable<unknown>,
  deeply: Compare,
): boolean {
  const left = [...b];
  for (const entry of a) {
    const at = left.findIndex((other) => deeply(entry, other));
    if (at === -1) return false;
    left.splice(at, 1);
  }
  return left.length === 0;
}

function sameProperties(a: object, b: object, deeply: Compare): boolean {
  // A view's elements are its bytes.
  if (ArrayBuffer.isView(a)) return true;
  const keys = keysOf(a);
  return keys.length === keysOf(b).length &&
    (!Array.isArray(a) || a.length === (b as unknown[]).length) &&
    keys.every((key) =>
      Object.prototype.propertyIsEnumerable.call(b, key) &&
      deeply(Reflect.get(a, key), Reflect.get(b, key))
    );
}

function keysOf(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
}

function bytesOf(value: object): Uint8Array {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  const buffers = [
    ArrayBuffer,
    ...typeof SharedArrayBuffer === "function" ? [SharedArrayBuffer] : [],
  ];
  return buffers.some((type) => value instanceof type)
    ? new Uint8Array(value as ArrayBuffer)
    : new Uint8Array();
}
