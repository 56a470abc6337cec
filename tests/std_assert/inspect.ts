const MOST_ENTRIES = 100;
const MOST_DEPTH = 5;
const MOST_WIDTH = 80;

/** A value for a reader. */
export function inspect(
  value: unknown,
  parents: readonly object[] = [],
): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") {
    return `[Function ${value.name || "(anonymous)"}]`;
  }
  if (typeof value !== "object" || value === null) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  const type = Object.getPrototypeOf(value)?.constructor?.name ??
    "[no prototype]";
  if (parents.includes(value)) return "[Circular]";
  if (parents.length > MOST_DEPTH) return `[${type}]`;

  const within = (inner: unknown) => inspect(inner, [...parents, value]);
  if (value instanceof Error) return inspectError(value, within);
  if (value instanceof Date && !Number.isNaN(value.getTime())) {
    return value.toISOString();
  }
  if (value instanceof RegExp) return String(value);
  if (value instanceof ArrayBuffer) {
    return `${type} ${within(new Uint8Array(value))}`;
  }

  const name = type === "Object" || type === "Array" ? "" : `${type} `;
  if (Array.isArray(value) || value instanceof Set) {
    return name + list("[", firstOf(value, within), "]", sizeOf(value));
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const items = value as Uint8Array;
    return `${type}(${items.length}) ${list("[", firstOf(items, within), "]", items.length)}`;
  }
  const entries: Iterable<[unknown, unknown]> = value instanceof Map
    ? value
    : Reflect.ownKeys(value).map((key) => [key, Reflect.get(value, key)]);
  const parts = firstOf(entries, ([key, inner]) => {
    const shown = value instanceof Map ? `${within(key)} =>` : `${String(key)}:`;
    return `${shown} ${within(inner)}`;
  });
  return name + list("{", parts, "}", [...entries].length);
}

function inspectError(
  error: Error,
  within: (value: unknown) => string,
): string {
  const cause = error.cause === undefined ? "" : ` (cause: ${within(error.cause)})`;
  const more = Object.entries(error).map(([key, inner]) => ` ${key}: ${within(inner)}`);
  return `[${error}${more.join(",")}]${cause}`;
}

function firstOf<T>(values: Iterable<T>, show: (value: T) => string): string[] {
  const parts: string[] = [];
  for (const value of values) {
    if (parts.length === MOST_ENTRIES) break;
    parts.push(show(value));
  }
  return parts;
}

function sizeOf(value: unknown[] | Set<unknown>): number {
  return Array.isArray(value) ? value.length : value.size;
}

function list(
  open: string,
  parts: readonly string[],
  close: string,
  size: number,
): string {
  if (size === 0) return open + close;
  const all = size > parts.length ? [...parts, `... ${size - parts.length} more`] : parts;
  const line = `${open} ${all.join(", ")} ${close}`;
  const short = line.length <= MOST_WIDTH ||
    all.every((part) => part.length <= 4);
  if (short && !line.includes("\n")) return line;
  return `${open}\n${all.map((part) => `  ${part.replaceAll("\n", "\n  ")},\n`).join("")}${close}`;
}
