import { constants } from 'node:os';
import type { Io } from './io.js';

/** Control-C, and whoever ends jobs. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Does the work. If a signal is to end the process meanwhile, it ends as it would without this, but
 * says first what stands.
 *
 * @param sentence says that at this moment
 */
export async function interruptible<T>(
  work: () => Promise<T>,
  io: Io,
  sentence: () => string,
): Promise<T> {
  const end = (signal: (typeof SIGNALS)[number]) => {
    ignore(); // and so a second one ends it at once
    const below = io.terminal === undefined ? '' : '\n'; // which shows what was pressed as ^C
    io.err(`${below}${sentence()}\n`);
    // Others who listen clear away first.
    process.nextTick(() => {
      process.kill(process.pid, signal);
      // The first process of a container is not ended so, and would go on.
      process.exit(128 + constants.signals[signal]);
    });
  };
  const ignore = () => {
    for (const signal of SIGNALS) process.off(signal, end);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    return await work();
  } finally {
    ignore();
  }
}
