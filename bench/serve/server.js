import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVER_CPU } from './wrk.js';

/** For so long a server may take to start or to end, in ms. */
const PATIENCE = 10_000;

const TICKS = 100; // a second; Linux tells processor time so

/** Those that run. A benchmark that ends takes them with it. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs a server on its processor until it answers a path. */
export async function startServer(command, port, path) {
  const child = spawn('taskset', ['-c', SERVER_CPU, ...command], {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.add(child);
  const errors = [];
  child.stderr.on('data', (text) => errors.push(text));
  const ended = once(child, 'exit').then(() => running.delete(child));
  const server = {
    pid: child.pid,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    /** All that it has written to its standard error. */
    errors: () => Buffer.concat(errors).toString(),
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      await ended;
      clearTimeout(late);
    },
  };
  const deadline = performance.now() + PATIENCE;
  while (!(await isAnswered(port, path))) {
    if (performance.now() < deadline && server.isRunning()) await sleep(50);
    else throw new Error(`${command.join(' ')} did not start: ${server.errors()}`);
  }
  return server;
}

async function isAnswered(port, path) {
  try {
    const { status } = await get(port, path);
    return status === 200;
  } catch {
    return false; // it does not listen yet
  }
}

/** Asks once, over a connection of its own. */
export function get(port, path, headers = {}, method = 'GET') {
  return new Promise((done, fail) => {
    const options = { host: '127.0.0.1', port, path, headers, method, agent: false };
    const asked = request(options, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', fail);
      response.on('end', () =>
        done({
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(parts),
        }),
      );
    });
    asked.on('error', fail);
    asked.end();
  });
}

/** The processor time of a process and its children so far, in µs. */
export function processorTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const own = ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1e6;
  return children === ''
    ? own
    : children.split(' ').reduce((sum, child) => sum + processorTime(child), own);
}
