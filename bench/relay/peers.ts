/**
 * Configurations of the peers that need one: one thread, as ours has.
 *
 * @module
 */
import { run } from "../../tests/tools/process.ts";
import type { Ports } from "./load.ts";

/** Writes haproxy's; resolves to its path. */
export function haproxyConfig(folder: string, { via, target }: Ports): Promise<string> {
  return write(
    `${folder}/haproxy.cfg`,
    `global
  nbthread 1
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen relay
  bind 127.0.0.1:${via} backlog 4096
  server target 127.0.0.1:${target}
`,
  );
}

/** Writes nginx's; resolves to its path. Rejects if it has no stream module. */
export async function nginxConfig(
  executable: string,
  folder: string,
  { via, target }: Ports,
): Promise<string> {
  const { output } = await run([executable, "-V"]);
  if (!output.includes("--with-stream")) throw new Error("its stream module is not installed");
  const [, modules] = output.match(/--modules-path=(\S+)/) ?? [];
  const module = `${modules}/ngx_stream_module.so`;
  let load = "";
  if (output.includes("--with-stream=dynamic")) {
    if (!await exists(module)) throw new Error("its stream module is not installed");
    load = `load_module ${module};\n`;
  }
  return await write(
    `${folder}/nginx.conf`,
    `${load}daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr crit;
pid ${folder}/nginx.pid;
events {
  worker_connections 20000;
}
stream {
  server {
    listen 127.0.0.1:${via} backlog=4096;
    proxy_pass 127.0.0.1:${target};
    proxy_timeout 1h;
    proxy_half_close on;
  }
}
`,
  );
}

async function write(path: string, text: string): Promise<string> {
  await Deno.writeTextFile(path, text);
  return path;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
