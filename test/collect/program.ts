import { spawn, spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CollectEvent } from '../../src/collect/run.js';
import type { Settings } from '../../src/settings.js';
import { createStaticFiles, type StaticFiles } from '../../src/static-files.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { BIN } from '../process.js';
import { add, project } from '../project.js';

const PACKAGE = new URL('../../dist/src/index.js', import.meta.url).href;

// In memory where there is room for it: disks take long for the thousands of files that come and go.
const MEMORY = '/dev/shm';
const ROOM = 2 ** 31;
if (existsSync(MEMORY) && statfsSync(MEMORY).bavail * statfsSync(MEMORY).bsize > ROOM) {
  process.env.TMPDIR = MEMORY;
}

/** A project with these sources below `static/`, collected into `collected/` under hashed names. */
export function site(
  files: Readonly<Record<string, string | Uint8Array>>,
  settings: Settings = {},
): string {
  const root = project({});
  configure(root, settings);
  change(root, files);
  return root;
}

/** Writes its configuration; these settings can be told as JSON. */
export function configure(root: string, settings: Settings = {}): void {
  const all = { dirs: ['static'], staticRoot: 'collected', ...settings };
  add(root, {
    'staticfiles.config.mjs': `import { hashedStorage } from ${JSON.stringify(PACKAGE)};
      export default { ...${JSON.stringify(all)}, storage: hashedStorage() };`,
  });
}

/** Writes these sources. */
export function change(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  add(join(root, 'static'), files);
}

export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
  /** The most memory that it had, in bytes. */
  readonly memory: number;
  /** By the clock: of a busy machine, others have a part of it. */
  readonly milliseconds: number;
  /** For which it computed, in all of its threads. */
  readonly cpuMilliseconds: number;
}

export interface Collecting {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  kill(): void;
  /** What it has printed for people so far. */
  err(): string;
}

/** Prints the most memory that the process had, in kilobytes, and its microseconds, as its last words. */
const MEASURE = `data:text/javascript,${encodeURIComponent(
  `import { isMainThread } from 'node:worker_threads';
  const tell = () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    process.stderr.write('\\nmeasured ' + maxRSS + ' ' + (userCPUTime + systemCPUTime));
  };
  if (isMainThread) process.on('exit', tell);`,
)}`;
const MEASURED = /\nmeasured (\d+) (\d+)$/;

/** Kills its own process before the call of the number KILL_AT that changes something on the disk. */
export const KILL_AT = `data:text/javascript,${encodeURIComponent(`
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  let calls = 0;
  const changing = /^(?:append|ch|copy|fch|link|mkdir|rename|rm|symlink|unlink|utimes|write)|^open/;
  for (const object of [fs, fs.promises]) {
    for (const name of Object.keys(object)) {
      const call = object[name];
      if (typeof call !== 'function' || !changing.test(name) || name === 'opendir') continue;
      object[name] = function (...args) {
        const isReading = name.startsWith('open') && (args[1] === undefined || args[1] === 'r');
        const isPrinting = name.startsWith('write') && (args[0] === 1 || args[0] === 2);
        if (!isReading && !isPrinting && ++calls === Number(process.env.KILL_AT)) {
          process.kill(process.pid, 'SIGKILL');
        }
        return call.apply(this, args);
      };
    }
  }
  syncBuiltinESMExports();
`)}`;

interface World {
  readonly env?: Readonly<Record<string, string>>;
  /** The number of the user that it runs as; only root can do that. */
  readonly user?: number | undefined;
  /** A module that is loaded before all others. */
  readonly preload?: string;
}

/** Starts the built collectstatic in a process of its own, which does not outlive the test. */
export function start(root: string, args: readonly string[] = [], world: World = {}): Collecting {
  const { env, user, preload = MEASURE } = world;
  const started = performance.now();
  const child = spawn(process.execPath, ['--import', preload, BIN, 'collectstatic', ...args], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(user !== undefined && { uid: user, gid: user }),
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      const [, kilobytes, microseconds] = MEASURED.exec(err) ?? [];
      resolve({
        status,
        out,
        err: err.replace(MEASURED, ''),
        memory: Number(kilobytes) * 1024,
        milliseconds: performance.now() - started,
        cpuMilliseconds: Number(microseconds) / 1000,
      });
    });
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { pid: child.pid ?? 0, ended, kill: () => child.kill('SIGKILL'), err: () => err };
}

/** Runs it to its end. */
export function collectstatic(root: string, ...args: string[]): Promise<Ended> {
  return start(root, args).ended;
}

/** Collects in this process, which takes a fraction of the time. */
export function filesOf(root: string, settings: Settings = {}): StaticFiles {
  return createStaticFiles({
    baseDir: root,
    dirs: ['static'],
    staticRoot: 'collected',
    storage: hashedStorage(),
    debug: false,
    ...settings,
  });
}

/** Fails a run, as its `onEvent`, that waits for another. */
export function waitsForNobody(event: CollectEvent): void {
  if (event.type === 'wait') throw new Error(`It waits: ${event.message}`);
}

export function manifestOf(root: string): string {
  return readFileSync(join(root, 'collected/staticfiles.json'), 'utf8');
}

/**
 * Another user, without rights of its own, for programs that root starts. Whoever is not root has no
 * rights to lose. `why` goes into the title where that user may not even read the program.
 */
export const other = ((): { user: number | undefined; able: boolean; why: string } => {
  if (process.getuid?.() !== 0)
    return { user: undefined, able: process.getuid !== undefined, why: '' };
  const user = 65_534; // nobody
  const able =
    spawnSync(process.execPath, [BIN, '--version'], { uid: user, gid: user }).status === 0;
  return {
    user,
    able,
    why: able ? '' : ' (skipped: another user than root cannot read this folder)',
  };
})();

/** The published names and their hashed names. */
export function published(root: string): Record<string, string> {
  return JSON.parse(manifestOf(root)).paths;
}

/** A digest of each published file under its hashed name; it fails where one is missing. */
export function deployed(root: string): Record<string, string> {
  const digests: Record<string, string> = {};
  for (const hashedName of Object.values(published(root))) {
    digests[hashedName] = digestOf(readFileSync(join(root, 'collected', hashedName)));
  }
  return digests;
}

/** A digest of each file below `collected/`, but for what runs keep for themselves. */
export function tree(root: string): Record<string, string> {
  const collected = join(root, 'collected');
  const digests: Record<string, string> = {};
  for (const entry of readdirSync(collected, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(collected, path);
    if (entry.isFile() && !name.startsWith('.staticfiles/')) {
      digests[name] = digestOf(readFileSync(path));
    }
  }
  return digests;
}

/** What runs have left behind that they should have cleared away. */
export function leftBehind(root: string): string[] {
  const entries = readdirSync(join(root, 'collected'), { recursive: true, encoding: 'utf8' });
  return entries.filter((path) => /scratch|partial|lock/.test(path));
}

export function digestOf(body: Uint8Array): string {
  return hash('md5', body).slice(0, 12);
}
