import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { reason, systemCode } from '../errors.js';
import type { Threads } from './threads.js';
import type {
  Compressed,
  Content,
  Finished,
  Group,
  Intake,
  Taken,
  Workshop,
  WorkshopOptions,
} from './workshop.js';

/** What a workshop can be told to do, and what it answers. */
export interface Tasks {
  take: [Intake, Taken];
  finish: [Group, Finished[]];
  compress: [Content, Compressed];
}

export type Task = keyof Tasks;

/** Several items for one task, as a thread is told. */
export interface Call {
  readonly task: Task;
  readonly items: readonly unknown[];
}

/** What a thread is told: to open a workshop, to work in it, to close it. */
export type Message = { readonly open: WorkshopOptions } | Call | 'close';

/** What it did; or which item could not be done, for errors lose their kind between threads. */
export type Reply =
  | { readonly results: unknown[] }
  | { readonly failed: { index: number; message: string; code: string | undefined } };

/** An item that could not be done. */
export class TaskError extends Error {
  constructor(
    message: string,
    readonly item: unknown,
    /** The system's code; `undefined` where it has none. */
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

/** One workshop in this thread for a few files, one in each of several threads for many. */
export interface Workforce {
  /**
   * Does a task to each item, and hears of each result; in what order, is left open.
   *
   * @param order what a workshop must be told of an item; made when its turn comes
   * @throws {TaskError} for the first item that cannot be done; the rest is not begun.
   */
  each<T extends Task, I>(
    task: T,
    items: readonly I[],
    order: (item: I) => Tasks[T][0],
    done: (item: I, result: Tasks[T][1]) => void,
  ): Promise<void>;
  close(): Promise<void>;
}

/** How many items a thread is told of at once, and how many times ahead. */
const BATCHES: Readonly<Record<Task, number>> = { take: 64, finish: 64, compress: 1 };
const AHEAD = 2;

/**
 * @param folder where each workshop makes a folder for files that are being written
 * @param count how many threads; below two, all is done in this one
 */
export function workforce(
  options: Omit<WorkshopOptions, 'scratchFolder'>,
  folder: string,
  threads: Threads,
  count: number,
): Workforce {
  const at = (number: number) => ({ ...options, scratchFolder: join(folder, String(number)) });
  const benches =
    count < 2
      ? [localBench(at(0))]
      : Array.from({ length: count }, (_, number) => threadBench(threads, at(number)));
  /** Which bench took a text in: there it waits for its rewriting. */
  const owners = new Map<string, number>();

  return {
    async each(task, items, order, done) {
      const next = batches(items, BATCHES[task], benches.length, (item) =>
        task === 'finish' ? owners.get((item as Group).members[0]?.name ?? '') : undefined,
      );
      let failed = false;
      const work = async (number: number) => {
        try {
          for (let batch = next(number); batch.length > 0 && !failed; batch = next(number)) {
            const orders = batch.map(order);
            const results = await (benches[number] as Bench).run(task, orders);
            batch.forEach((item, index) => {
              const result = results[index] as (typeof results)[number];
              if (task === 'take' && (result as Taken).scan.references.length > 0) {
                owners.set((orders[index] as Intake).name, number);
              }
              done(item, result);
            });
          }
        } catch (error) {
          failed = true;
          throw error;
        }
      };
      // Every bench has its first batch before any has its second, for there may be but a few.
      const loops = Array.from({ length: AHEAD }, () => [...benches.keys()]).flat();
      const ends = await Promise.allSettled(loops.map(work));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    },
    close: async () => {
      await Promise.all(benches.map((bench) => bench.close()));
    },
  };
}

/** Where a workshop is at work: in this thread, or in one of its own. */
interface Bench {
  run<T extends Task>(task: T, items: readonly Tasks[T][0][]): Promise<Tasks[T][1][]>;
  close(): Promise<void>;
}

function localBench(options: WorkshopOptions): Bench {
  let own: Workshop | undefined;
  return {
    async run(task, items) {
      // Where nothing has changed, its modules are never needed.
      own ??= (await import('./workshop.js')).workshop(options);
      await breathe(); // what else waits in this thread, such as a signal to end
      return resultsOf(perform(own, { task, items }), items);
    },
    close: async () => own?.close(),
  };
}

function threadBench(threads: Threads, options: WorkshopOptions): Bench {
  const thread = threads.take();
  const waiting: { settle(reply: unknown): void; fail(error: unknown): void }[] = [];
  const hear = (reply: unknown) => waiting.shift()?.settle(reply);
  const fail = (error: unknown) => {
    for (const waiter of waiting.splice(0)) waiter.fail(error);
  };
  const end = () => fail(new Error('A thread ended before its work was done.'));
  thread.on('message', hear).on('error', fail).on('exit', end);
  const isThere = () => thread.threadId >= 0;
  const ask = (message: Message) =>
    new Promise<unknown>((settle, fail) => {
      waiting.push({ settle, fail });
      if (isThere()) thread.postMessage(message);
      else end();
    });
  const opened = ask({ open: options });
  opened.catch(() => {}); // told by the first call
  return {
    async run(task, items) {
      const [reply] = await Promise.all([ask({ task, items }), opened]);
      return resultsOf(reply as Reply, items);
    },
    async close() {
      await ask('close').catch(() => {}); // it has ended, or left what the run's end removes
      thread.off('message', hear).off('error', fail).off('exit', end);
      if (isThere()) threads.giveBack(thread);
    },
  };
}

/** Does a call's items one after the other, up to the first that cannot be done. */
export function perform(own: Workshop, { task, items }: Call): Reply {
  const results: unknown[] = [];
  try {
    for (const item of items) results.push(own[task](item as never));
    return { results };
  } catch (error) {
    return { failed: { index: results.length, message: reason(error), code: systemCode(error) } };
  }
}

function resultsOf<T extends Task>(reply: Reply, items: readonly Tasks[T][0][]): Tasks[T][1][] {
  if ('results' in reply) return reply.results as Tasks[T][1][];
  const { index, message, code } = reply.failed;
  throw new TaskError(message, items[index], code);
}

/**
 * Deals items out to benches, a batch at each call: to each its own, and the rest to whoever asks.
 */
function batches<I>(
  items: readonly I[],
  size: number,
  benches: number,
  ownerOf: (item: I) => number | undefined,
): (bench: number) => I[] {
  const rest: I[] = [];
  const own: I[][] = Array.from({ length: benches }, () => []);
  for (const item of items) (own[ownerOf(item) ?? -1] ?? rest).push(item);
  const heads = new Map<I[], number>();
  const cut = (queue: I[]) => {
    const head = heads.get(queue) ?? 0;
    heads.set(queue, head + size);
    return queue.slice(head, head + size);
  };
  return (bench) => {
    const batch = cut(own[bench] ?? []);
    return batch.length > 0 ? batch : cut(rest);
  };
}
