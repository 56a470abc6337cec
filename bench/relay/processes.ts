/**
 * What the system tells of a process and all that it has started. Linux alone has it so.
 *
 * @module
 */

/** The process and its descendants. */
export function tree(pid: number): number[] {
  const all = [pid];
  try {
    for (const task of Deno.readDirSync(`/proc/${pid}/task`)) {
      const children = Deno.readTextFileSync(`/proc/${pid}/task/${task.name}/children`).trim();
      if (children) all.push(...children.split(" ").flatMap((child) => tree(Number(child))));
    }
  } catch {
    // It has ended.
  }
  return all;
}

const TICKS_A_SECOND = 100;

/** Seconds of CPU, user and system, those of children that have ended included. */
export function cpuSeconds(pid: number): number {
  let sum = 0;
  for (const one of tree(pid)) {
    // The name, in brackets, may have spaces; utime, stime, cutime and cstime are fields 14 to 17.
    const fields = read(`/proc/${one}/stat`).replace(/^.*\) /s, "").split(" ").slice(11, 15);
    const [user = 0, system = 0, childrens = 0, childrensSystem = 0] = fields.map(Number);
    // These are whole ticks, which is nothing for a process of a few; the others lack ended threads.
    sum += Math.max((user + system) / TICKS_A_SECOND, threadSeconds(one));
    sum += (childrens + childrensSystem) / TICKS_A_SECOND;
  }
  return sum;
}

/** Seconds of CPU that the threads which live have had. */
function threadSeconds(pid: number): number {
  let nanoseconds = 0;
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(read(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0]);
    }
  } catch {
    // It has ended.
  }
  return nanoseconds / 1e9;
}

/** KiB in RAM; what processes share counts once (Pss). */
export function memoryKib(pid: number): number {
  let sum = 0;
  for (const one of tree(pid)) {
    sum += Number(read(`/proc/${one}/smaps_rollup`).match(/^Pss:\s+(\d+)/m)?.[1] ?? 0);
  }
  return sum;
}

/** How many sockets listen on a port. */
export function listeners(port: number): number {
  const wanted = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")} \\S+ 0A `, "g");
  return ["tcp", "tcp6"].reduce(
    (sum, table) => sum + [...read(`/proc/net/${table}`).matchAll(wanted)].length,
    0,
  );
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
