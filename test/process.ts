import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The built command line. */
export const BIN = fileURLToPath(new URL('../dist/src/cli/bin.js', import.meta.url));

export interface Running {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  out(): string;
  err(): string;
  /** Answers the match as soon as what it printed, on either stream, has one; fails where it ends before. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** Tells it to end, and answers its exit status. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a Node program, which does not outlive the test. */
export function start(args: string[], cwd: string, env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, NODE_ENV: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const printed = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed.out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed.err += text;
  });
  return {
    process: child,
    out: () => printed.out,
    err: () => printed.err,
    async waitFor(pattern) {
      for (;;) {
        const match = pattern.exec(printed.out) ?? pattern.exec(printed.err);
        if (match !== null) return match;
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`It ended before ${pattern}:\n${printed.out}\n${printed.err}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      const [status] = await exited;
      return status;
    },
  };
}
