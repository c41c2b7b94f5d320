import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

/**
 * The servers that all test files of a run share. Each program prints a line of JSON when it answers,
 * and runs until its standard input ends: so it does not outlive the run, however that ends.
 */
const PROGRAMS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  swift: ['/usr/bin/python3', fileURLToPath(new URL('swift-server.py', import.meta.url))],
};

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test asks for one, by its name under this URL: the line that it printed. */
    servers: string;
  }
}

/** Starts each server when the first test asks for it. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const started = new Map<string, Started>();
  const desk = createServer(async ({ url = '/' }, response) => {
    const name = url.slice(1);
    try {
      if (!started.has(name)) started.set(name, start(name));
      response.end(await started.get(name)?.line);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  desk.listen(0, '127.0.0.1').unref();
  await once(desk, 'listening');
  provide('servers', `http://127.0.0.1:${(desk.address() as AddressInfo).port}/`);
  return async () => {
    desk.close();
    await Promise.all([...started.values()].map(({ end }) => end()));
  };
}

interface Started {
  readonly line: Promise<string>;
  end(): Promise<void>;
}

function start(name: string): Started {
  const [program, ...args] = PROGRAMS[name] ?? [];
  if (program === undefined) throw new Error(`test/servers.ts knows no server '${name}'.`);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const errors = text(child.stderr);
  const line = Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => line as string),
    exited.then(async ([status]) => {
      throw new Error(`${name} ended with status ${status}.\n${await errors}`);
    }),
  ]);
  return {
    line,
    async end() {
      child.stdin.end();
      await exited;
    },
  };
}
