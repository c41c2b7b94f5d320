import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** The threads of a run: what one stage has started, the next one goes on with. */
export interface Threads {
  /** How many threads are worth their start, for so many pieces of work that are worth one each. */
  countFor(pieces: number): number;
  /** Starts all that may be worth it, ahead of the work: that goes on beside what else is done. */
  start(): void;
  /** A thread that has nothing to do, with {@link Threads.giveBack} to be called for it. */
  take(): Worker;
  giveBack(thread: Worker): void;
  close(): void;
}

const MOST = 8;

/** What is made for one file is soon of no use; the engine would let 48 MB of that pile up. */
const YOUNG_MB = 4;

export function openThreads(): Threads {
  const most = Math.min(availableParallelism(), MOST);
  const all: Worker[] = [];
  const idle: Worker[] = [];

  function start(): Worker {
    // By the package's own address of it, for how it is cut into files changes with the build.
    const path = createRequire(import.meta.url).resolve('#worker');
    const thread = new Worker(path, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    // Before it is given work, nobody listens; what fails then, fails again when it is given some.
    thread.on('error', () => {});
    all.push(thread);
    return thread;
  }

  return {
    countFor: (pieces) => Math.min(most, Math.floor(pieces)),
    start() {
      while (all.length < most) idle.push(start());
    },
    take: () => idle.pop() ?? start(),
    giveBack: (thread) => void idle.push(thread),
    close() {
      for (const thread of all.splice(0)) {
        thread.unref(); // nobody waits for its end
        void thread.terminate();
      }
    },
  };
}
