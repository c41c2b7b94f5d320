import { createInterface } from 'node:readline/promises';

/** What a command has of the world around it: tests hand it another. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes to standard output. */
  out(text: string): void;
  /** Writes to standard error. */
  err(text: string): void;
  /** Whether what it writes may have colours. */
  readonly colors: boolean;
  /** The terminal that standard error is, for what moves. Absent: it is none. */
  readonly terminal?: NodeJS.WriteStream;
  /** Asks the person at the terminal. Absent: there is nobody to ask. */
  ask?(question: string): Promise<string>;
}

/** The process's own. */
export function processIo(): Io {
  const { env, stdin, stdout, stderr } = process;
  return {
    cwd: process.cwd(),
    env,
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    colors: Boolean(stderr.isTTY) && !env.NO_COLOR,
    ...(stderr.isTTY && { terminal: stderr }),
    ...(stdin.isTTY && stdout.isTTY && { ask }),
  };
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
