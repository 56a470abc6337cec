/**
 * The flags of `deno task test`.
 *
 * @module
 */
import { parseArgs } from "node:util";

/** What is to be run, and how. */
export interface Options {
  readonly only: readonly string[];
  readonly file: string;
  readonly filter: string;
  /** The variables that play a failure of a random test again. */
  readonly replay: Readonly<Record<string, string>>;
  readonly jobs: number;
  /** Milliseconds. */
  readonly fileTimeout: number;
  readonly requireAll: boolean;
  /** How many of the slowest tests are shown for each runtime. */
  readonly slowest: number;
}

/** Files wait for half of their time: fewer at once leave cores idle. */
const JOBS_PER_CORE = 4;

/** What the variables of each random test begin with. */
const RANDOM = ["ROUTES", "SCHEDULE"];

const flags = {
  only: { type: "string" },
  file: { type: "string", default: "" },
  filter: { type: "string", default: "" },
  seed: { type: "string" },
  path: { type: "string" },
  runs: { type: "string" },
  jobs: {
    type: "string",
    default: String(Math.ceil(JOBS_PER_CORE * navigator.hardwareConcurrency)),
  },
  "file-timeout": { type: "string", default: "180" },
  "require-all": { type: "boolean", default: false },
  slowest: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

const help = (names: readonly string[]) =>
  `Runs the static checks, then the tests on every runtime that there is on this machine.

Usage: deno task test [flags]

  --only NAMES         only these, e.g. deno,node26: ${names.slice(0, 6).join(", ")},
                       ${names.slice(6).join(", ")}
  --file TEXT          only test files with TEXT in their path, which is that of the source on every
                       runtime: tests/core/ or turns_test.ts; without the checks
  --filter TEXT        only tests with TEXT in their name; without the checks
  --seed NUMBER        seed of random scenarios (tests/routes/routes_test.ts), as a failure prints it
  --path PATH          the scenario of that seed, as a failure prints it
  --runs COUNT         number of random scenarios (default: 100, on Node 20 to 24 25)
  --jobs COUNT         test files at once (default here: ${flags.jobs.default})
  --file-timeout SECS  time in which a file may end no test (default: ${
    flags["file-timeout"].default
  })
  --require-all        fail if a runtime cannot be had
  --slowest COUNT      show the slowest files and tests of each runtime at the end
  --help               print this

One file on Deno, without this runner: deno test -A tests/pipe/pipe_test.ts`;

/** Parses the flags; prints what is wrong with them, or the help, and ends the program. */
export function parseOptions(args: readonly string[], names: readonly string[]): Options {
  try {
    const { values } = parseArgs({ args: [...args], options: flags });
    if (values.help) {
      console.log(help(names));
      Deno.exit(0);
    }
    const only = values.only?.split(",");
    const unknown = only?.filter((name) => !names.includes(name)) ?? [];
    if (unknown.length > 0) {
      throw new TypeError(`Unknown name '${unknown.join(",")}': use some of ${names.join(",")}`);
    }
    return {
      only: only ??
        (values.file || values.filter ? names.filter((one) => one !== "checks") : names),
      file: values.file.replace(/^\.\//, ""),
      filter: values.filter,
      replay: Object.assign(
        {},
        ...RANDOM.flatMap((test) => [
          variable(`${test}_SEED`, values.seed),
          variable(`${test}_PATH`, values.path),
          variable(`${test}_RUNS`, values.runs),
        ]),
      ),
      jobs: positive("--jobs", values.jobs),
      fileTimeout: 1000 * positive("--file-timeout", values["file-timeout"]),
      requireAll: values["require-all"],
      slowest: values.slowest === undefined ? 0 : positive("--slowest", values.slowest),
    };
  } catch (error) {
    console.error(`${(error as Error).message}\nSee deno task test --help`);
    Deno.exit(2);
  }
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new TypeError(`${flag} must be a positive whole number: got '${text}'`);
}

/** A flag goes before a variable that the runner was given. */
function variable(name: string, flag: string | undefined): Record<string, string> {
  const value = flag ?? Deno.env.get(name);
  return value === undefined ? {} : { [name]: value };
}
