/**
 * What code without types may pass.
 *
 * @module
 */

/** The value, as whatever is asked for. */
export function untyped<T>(value: unknown): T {
  return value as T;
}
