import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** The server has a processor of its own, and so has who asks it. */
export const SERVER_CPU = '0';
const CLIENT_CPU = '1';

const CONNECTIONS = 64;

/** Ends the program where its tools are not there. */
export function requireTools() {
  const needed = { wrk: 'wrk', taskset: 'util-linux' };
  for (const [tool, debian] of Object.entries(needed)) {
    if (spawnSync('which', [tool]).status === 0) continue;
    console.error(
      `${tool} is needed: on Debian, apt install ${debian}; elsewhere see its own site.`,
    );
    process.exit(2);
  }
}

/**
 * Asks for a URL as fast as answers come.
 *
 * @param script the path of a Lua script that says what is asked for instead
 * @returns requests a second, the latency that 99 % stay below in ms, how many requests it was, and
 *   what wrk says of errors, empty where there are none
 */
export async function load(url, { seconds, headers = {}, script }) {
  const args = ['-c', CLIENT_CPU, 'wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency'];
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  if (script !== undefined) args.push('-s', script);
  const wrk = spawn('taskset', [...args, '--timeout', '20s', url]);
  return read(await outputOf(wrk));
}

async function outputOf(child) {
  const parts = [];
  child.stdout.on('data', (part) => parts.push(part));
  await once(child, 'close');
  return Buffer.concat(parts).toString();
}

const MILLISECONDS = { us: 1e-3, ms: 1, s: 1e3, m: 6e4 };

function read(output) {
  const number = (pattern) => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s|m)/.exec(output) ?? [];
  return {
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p99: Number(p99) * MILLISECONDS[unit],
    requests: number(/(\d+) requests in/),
    errors: [...output.matchAll(/^ *((?:Socket errors|Non-2xx).*)$/gm)].map(([, line]) => line),
    output,
  };
}
