import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { openThreads } from '../../src/collect/threads.js';
import { TaskError, workforce } from '../../src/collect/workforce.js';
import type { Intake } from '../../src/collect/workshop.js';
import { project } from '../project.js';

const threads = openThreads();
afterAll(() => threads.close());

const COUNT = 200;
const names = Array.from({ length: COUNT }, (_, index) => `${index}.css`);
const textOf = (name: string) => (Number.parseInt(name, 10) % 2 ? `@import "${name}";` : name);

function setUp(count: number) {
  const root = project(Object.fromEntries(names.map((name) => [`src/${name}`, textOf(name)])));
  const options = {
    root: join(root, 'out'),
    dryRun: false,
    permissions: { fileMode: 0o644, directoryMode: undefined },
    link: false,
    clear: false,
  };
  const intake = (name: string): Intake => ({
    name,
    path: join(root, 'src', name),
    scan: true,
    keep: true,
    prehashed: false,
    former: { hashedName: '', hashed: '', plain: '' },
  });
  const make = (source = threads, scratch = 'scratch') =>
    workforce(options, join(root, scratch), source, count);
  return { root, intake, make };
}

describe('a workforce whose thread ends', () => {
  it.each(['before its work', 'in the midst of it'])(
    'fails, and can be closed: %s',
    async (when) => {
      const { intake, make } = setUp(2);
      const taken: Worker[] = [];
      const force = make({
        ...threads,
        take() {
          const thread = threads.take();
          taken.push(thread);
          return thread;
        },
      });
      const end = () => taken[0]?.terminate();
      if (when === 'before its work') await end();
      else setImmediate(end);
      await expect(force.each('take', names, intake, () => {})).rejects.toThrow('thread ended');
      await force.close();
      // The next one has threads that work.
      const next = make(threads, 'next');
      let done = 0;
      await next.each('take', names, intake, () => done++);
      expect(done).toBe(COUNT);
      await next.close();
    },
  );
});

describe.each([1, 2])('a workforce of %i', (count) => {
  it('does every item once, and leaves no scratch behind', async () => {
    const { root, intake, make } = setUp(count);
    const force = make();
    const taken = new Map<string, number>();
    await force.each('take', names, intake, (name, { scan, size }) => {
      expect(taken.has(name)).toBe(false);
      taken.set(name, scan.references.length);
      expect(size).toBe(textOf(name).length);
    });
    expect([...taken.values()].reduce((sum, found) => sum + found, 0)).toBe(COUNT / 2);
    expect([...taken.keys()].sort()).toEqual(names.toSorted());
    await force.close();
    expect(readdirSync(join(root, 'out')).length).toBe(COUNT + COUNT / 2);
    for (const name of names)
      expect(readFileSync(join(root, 'out', name), 'utf8')).toBe(textOf(name));
    expect(readdirSync(join(root, 'scratch'))).toEqual([]);
  });

  it('stops at an item that cannot be done, tells which and why, and can be closed', async () => {
    const { root, intake, make } = setUp(count);
    rmSync(join(root, 'src/7.css'));
    const force = make();
    const error: unknown = await force
      .each('take', names, intake, () => {})
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TaskError);
    expect(error).toMatchObject({ code: 'ENOENT', item: { name: '7.css' } });
    await force.close();
  });

  it('hears of an error that the listener throws', async () => {
    const { intake, make } = setUp(count);
    const force = make();
    const listener = () => {
      throw new Error('listener');
    };
    await expect(force.each('take', names, intake, listener)).rejects.toThrow('listener');
    await force.close();
  });
});
