/**
 * What the tests use of `jsr:@std/assert@^1`, for places that reach the npm registry alone.
 * Without the `links` entry in the root's `deno.json` the tests run on the real one.
 *
 * @module
 */
import { equal } from "./equal.ts";
import { inspect } from "./inspect.ts";

/** Any class, also an abstract one. */
type Constructor<T> = abstract new (...args: never[]) => T;
type Falsy = false | 0 | 0n | "" | null | undefined;

/** What every assertion here throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

function verify(holds: boolean, what: () => string, msg?: string): asserts holds {
  if (!holds) throw new AssertionError(msg ? `${what()}: ${msg}` : what());
}

/** The value is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** The value is falsy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}

/** Deeply equal, prototypes included. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  verify(
    equal(actual, expected),
    () => `Values are not equal.\n  actual: ${inspect(actual)}\nexpected: ${inspect(expected)}`,
    msg,
  );
}

/** Not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  verify(
    !equal(actual, expected),
    () => `Expected actual: ${inspect(actual)} not to be: ${inspect(expected)}`,
    msg,
  );
}

/** The same value, as `Object.is` has it. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  verify(
    Object.is(actual, expected),
    () =>
      `Values are not strictly equal.\n  actual: ${inspect(actual)}\nexpected: ${
        inspect(expected)
      }`,
    msg,
  );
}

/** Not the same value. */
export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  verify(
    !Object.is(actual, expected),
    () => `Expected "actual" to not be strictly equal to: ${inspect(actual)}`,
    msg,
  );
}

/** Within `tolerance`, by default a ten-millionth of `expected`. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  const allowed = tolerance ??
    (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  verify(
    Object.is(actual, expected) || Math.abs(expected - actual) <= allowed,
    () => `Expected actual: "${actual}" to be close to "${expected}": tolerance is ${allowed}`,
    msg,
  );
}

/** Neither `null` nor `undefined`. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  verify(
    actual !== undefined && actual !== null,
    () => `Expected actual: "${actual}" to not be null or undefined`,
    msg,
  );
}

/** An instance of the class. */
export function assertInstanceOf<T>(
  actual: unknown,
  expectedType: Constructor<T>,
  msg = "",
): asserts actual is T {
  verify(
    actual instanceof expectedType,
    () => `Expected object to be an instance of "${expectedType.name}" but was ${inspect(actual)}`,
    msg,
  );
}

/** The text matches. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  verify(
    expected.test(actual),
    () => `Expected actual: "${actual}" to match: "${expected}"`,
    msg,
  );
}

/** The text contains the other. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  verify(
    actual.includes(expected),
    () => `Expected actual: "${actual}" to contain: "${expected}"`,
    msg,
  );
}

/** `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  verify(
    actual > expected,
    () => `Expect ${inspect(actual)} > ${inspect(expected)}`,
    msg,
  );
}

/** `actual >= expected`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  verify(
    actual >= expected,
    () => `Expect ${inspect(actual)} >= ${inspect(expected)}`,
    msg,
  );
}

/** `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  verify(
    actual < expected,
    () => `Expect ${inspect(actual)} < ${inspect(expected)}`,
    msg,
  );
}

/** `actual <= expected`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  verify(
    actual <= expected,
    () => `Expect ${inspect(actual)} <= ${inspect(expected)}`,
    msg,
  );
}

/** The function throws; gives what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** The function throws an error of this class; gives the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Constructor<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: Constructor<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const message = typeof classOrMsg === "string" ? classOrMsg : msg;
  try {
    fn();
  } catch (error) {
    if (typeof classOrMsg === "function") {
      verifyError(error, classOrMsg, msgIncludes, message);
    }
    return error;
  }
  throw new AssertionError(withMessage("Expected function to throw.", message));
}

/** The function's promise rejects; gives the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** The function's promise rejects with an error of this class; gives the error. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Constructor<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: Constructor<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const message = typeof classOrMsg === "string" ? classOrMsg : msg;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    throw new AssertionError(
      withMessage("Function throws when expected to reject.", message),
      {
        cause: error,
      },
    );
  }
  try {
    await promise;
  } catch (error) {
    if (typeof classOrMsg === "function") {
      verifyError(error, classOrMsg, msgIncludes, message);
    }
    return error;
  }
  throw new AssertionError(
    withMessage("Expected function to reject.", message),
  );
}

function verifyError(
  error: unknown,
  ErrorClass: Constructor<Error>,
  msgIncludes?: string,
  msg?: string,
): void {
  verify(
    error instanceof ErrorClass,
    () => `Expected error to be instance of "${ErrorClass.name}", but was ${inspect(error)}`,
    msg,
  );
  verify(
    msgIncludes === undefined || error.message.includes(msgIncludes),
    () => `Expected error message to include "${msgIncludes}", but got "${error.message}"`,
    msg,
  );
}

/** Fails. */
export function fail(msg?: string): never {
  throw new AssertionError(withMessage("Failed assertion.", msg));
}

/** Is never to be reached. */
export function unreachable(msg?: string): never {
  throw new AssertionError(withMessage("Unreachable.", msg));
}

function withMessage(what: string, msg?: string): string {
  return msg ? `${what} ${msg}` : what;
}
