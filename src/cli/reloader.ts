import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { relative } from 'node:path';
import Watchpack from 'watchpack';
import { ENDING, HOPELESS, PORT, RESTARTS } from './restarts.js';
import { isLeftOut, isSource, type SourceTree } from './source-tree.js';

/** For how long changes are gathered: an editor writes more than one file. */
const SETTLE_MS = 100;

/** How long a server may take to end before it is killed. */
const GRACE_MS = 2000;

export interface ReloaderOptions {
  /** The process that serves: a module and its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly source: SourceTree;
  say(text: string): void;
}

/** Runs the server in a process of its own, and anew when its source changes. Answers when it ends. */
export async function runReloading(options: ReloaderOptions): Promise<number> {
  const { cwd, say } = options;
  const watcher = watchSource(options);
  const told = Promise.race(ENDING.map((signal) => once(process, signal))).then(
    () => 'end' as const,
  );
  let port: string | undefined;
  try {
    for (let restarts = 0; ; restarts++) {
      const changed = watcher.change();
      const server = start(options, { [RESTARTS]: String(restarts), [PORT]: port });
      server.on('message', (message) => {
        port = portIn(message) ?? port;
      });
      const ended = once(server, 'exit').then(([status]) => ({ status: Number(status) }));
      let event = await Promise.race([changed, told, ended]);
      if (typeof event === 'object') {
        if (event.status === 0) return 0;
        if (event.status === HOPELESS) return 1;
        say('The server has stopped. It starts again when a file changes.\n');
        event = await Promise.race([changed, told]);
      }
      await stop(server);
      if (event === 'end') return 0;
      say(`${relative(cwd, event)} has changed; starting again.\n`);
    }
  } finally {
    watcher.close();
  }
}

/** Hears of changes in the source. */
function watchSource({ source }: ReloaderOptions) {
  const watcher = new Watchpack({
    aggregateTimeout: SETTLE_MS,
    ignored: (path) => isLeftOut(path, source),
  });
  let file: string | undefined;
  let heard = (_path: string) => {};
  const note = (path: string) => {
    if (isSource(path, source)) file = path;
  };
  watcher.on('change', note);
  watcher.on('remove', note);
  watcher.on('aggregated', () => {
    if (file !== undefined) heard(file);
    file = undefined;
  });
  // Without a time to start from, what is there already is no change.
  watcher.watch({ directories: source.folders });
  return {
    /** The path of the next file that changes. */
    change: () =>
      new Promise<string>((resolve) => {
        heard = resolve;
      }),
    close: () => watcher.close(),
  };
}

function start(
  { command, cwd, env }: ReloaderOptions,
  more: Readonly<Record<string, string | undefined>>,
): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, ...command], {
    cwd,
    env: { ...env, ...more },
    // The channel tells the server when this process is gone, however it went.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  const timer = setTimeout(() => server.kill('SIGKILL'), GRACE_MS);
  await ended;
  clearTimeout(timer);
}

/** The application may send messages of its own. */
function portIn(message: unknown): string | undefined {
  const isOurs = typeof message === 'object' && message !== null && PORT in message;
  return isOurs ? String(message[PORT]) : undefined;
}
