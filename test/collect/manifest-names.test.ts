import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StaticFiles } from '../../src/static-files.js';
import type { Storage } from '../../src/storage.js';
import { fileSystemStorage } from '../../src/storages/filesystem.js';
import type { HashedStorageOptions } from '../../src/storages/hashed.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { project } from '../project.js';
import { type Sources, site } from './elsewhere/site.js';
import { lacking } from './elsewhere/stores.js';
import { hashOf } from './hashed-site.js';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** One of the projects that collect into the same place. */
interface Project {
  readonly files: StaticFiles;
  /** Collects these sources alone, some milliseconds from now; an hour, unless told. */
  deploy(sources: Sources, wait?: number): Promise<void>;
}

function projectIn(storage: Storage, hashed: HashedStorageOptions): Project {
  const { change, remove, files: filesOf } = site({});
  const files = filesOf(storage, { hashed });
  let before: string[] = [];
  return {
    files,
    async deploy(sources, wait = HOUR) {
      vi.setSystemTime(Date.now() + wait);
      before.forEach(remove);
      before = Object.keys(sources);
      change(sources);
      await files.collect();
    },
  };
}

async function namesIn(storage: Storage): Promise<string[]> {
  const names: string[] = [];
  for await (const name of storage.list()) names.push(name);
  return names.sort();
}

async function filesIn(storage: Storage): Promise<string[]> {
  return (await namesIn(storage)).filter((name) => !name.startsWith('.staticfiles/'));
}

const isArchived = (name: string) => name.startsWith('.staticfiles/manifests/');

const hashed = (name: string, content: string) =>
  name.replace(/(?=\.[^.]*$)/, `.${hashOf(content)}`);

/** The folder of a project that has none of its own; and a storage elsewhere. */
const PLACES: [where: string, place: () => Storage][] = [
  ['a folder', () => fileSystemStorage({ root: join(project({}), 'out'), baseUrl: '/static/' })],
  ['a store', () => memoryStorage()],
];

describe('a manifest in a folder', () => {
  const [[, place]] = PLACES as [(typeof PLACES)[number]];

  it('is known to others before it is published first', async () => {
    const storage = place();
    const archived: string[][] = [];
    const { attach, ...memory } = memoryStorage();
    const manifestStorage: Storage = {
      ...memory,
      async writeIf(...args) {
        archived.push((await namesIn(storage)).filter(isArchived));
        return memory.writeIf?.(...args) ?? 'unsupported';
      },
    };
    const { deploy } = projectIn(storage, { manifestName: 'a.json', manifestStorage });
    await deploy({ 'a.css': '1' });
    await deploy({ 'a.css': '2' });
    const first = expect.stringContaining('/a.json/');
    expect(archived).toEqual([[first], [first]]);
    expect((await namesIn(storage)).filter(isArchived)).toEqual([first, first]);
  });

  it('is known to them after its earlier ones are pruned, though it was not kept', async () => {
    const storage = place();
    const a = projectIn(storage, { manifestName: 'a.json' });
    const b = projectIn(storage, { manifestName: 'b.json' });
    for (const version of [1, 2]) await b.deploy({ 'b.css': `b${version}` });
    const [, latest = ''] = (await namesIn(storage)).filter(isArchived);
    await storage.delete(latest); // as if the run had been killed before it was written
    const dry = await b.files.prune({ keep: 1, dryRun: true });
    expect((await namesIn(storage)).filter(isArchived).length).toBe(1);
    const report = await b.files.prune({ keep: 1 });
    expect(report).toMatchObject({ ...dry, dryRun: false, kept: [{}], dropped: [{}] });
    await a.deploy({ 'a.css': 'a1' });
    await a.files.prune({ keep: 1 });
    expect(await lacking(storage, 'b.json')).toEqual([]);
  });

  it('is known to them again after a run that finds what is remembered deleted', async () => {
    const storage = place();
    const a = projectIn(storage, { manifestName: 'a.json' });
    const b = projectIn(storage, { manifestName: 'b.json' });
    await b.deploy({ 'b.css': 'b1' });
    for (const name of await namesIn(storage)) {
      if (name.startsWith('.staticfiles/')) await storage.delete(name);
    }
    expect(await b.files.collect()).toMatchObject({ published: false });
    await a.deploy({ 'a.css': 'a1' });
    await a.files.prune({ keep: 1 });
    expect(await lacking(storage, 'b.json')).toEqual([]);
  });
});

describe('a manifest in a store', () => {
  it('stays where it is published while another project clears', async () => {
    const { attach, ...memory } = memoryStorage();
    const b = projectIn(memory, { manifestName: 'b.json' });
    await b.deploy({ 'b.css': 'b1' });
    let isFirst = true;
    const slow: Storage = {
      ...memory,
      async write(name, ...args) {
        if (name.startsWith('.staticfiles/pruning/') && isFirst) {
          isFirst = false;
          await b.deploy({ 'b.css': 'b2' }, 1000);
        }
        await memory.write(name, ...args);
      },
    };
    const a = projectIn(slow, { manifestName: 'a.json' });
    await a.deploy({ 'a.css': 'a1' });
    await a.files.collect({ clear: true });
    expect(isFirst).toBe(false);
    expect(await filesIn(memory)).toEqual(
      [
        ...['a.json', 'a.css', hashed('a.css', 'a1')],
        ...['b.json', 'b.css', hashed('b.css', 'b2')],
      ].sort(),
    );
    expect(await lacking(memory, 'b.json')).toEqual([]);
  });
});

describe.each(PLACES)('projects with manifests of different names in %s', (_, place) => {
  it.each<[a: string, b: string]>([
    ['staticfiles.json', 'b.json'],
    ['a.json', 'staticfiles.json'],
    ['conf/a.json', 'conf/b.json'],
  ])('%s and %s: each prunes its own deploys alone', async (nameOfA, nameOfB) => {
    const storage = place();
    const a = projectIn(storage, { manifestName: nameOfA });
    const b = projectIn(storage, { manifestName: nameOfB });
    await a.deploy({ 'both.css': 'both', 'a.css': 'a1' });
    await b.deploy({ 'both.css': 'both', 'b.css': 'b1', 'gone.css': 'b1' });
    await a.deploy({ 'a.css': 'a2' });
    await b.deploy({ 'both.css': 'both', 'b.css': 'b2' });
    await a.deploy({ 'a.css': 'a3' });
    vi.setSystemTime(Date.now() + 48 * HOUR);

    const ofB = [
      ...[nameOfB, 'both.css', 'b.css', 'gone.css', hashed('both.css', 'both')],
      ...[hashed('b.css', 'b1'), hashed('gone.css', 'b1'), hashed('b.css', 'b2')],
    ];
    const dry = await a.files.prune({ keep: 1, dryRun: true });
    const report = await a.files.prune({ keep: 1 });
    expect({ ...report, dryRun: true }).toEqual(dry);
    expect(report).toMatchObject({ kept: [{ names: 1 }], dropped: [{}, {}] });
    expect(await filesIn(storage)).toEqual(
      [nameOfA, 'a.css', hashed('a.css', 'a3'), ...ofB].sort(),
    );
    expect(await lacking(storage, nameOfA)).toEqual([]);
    expect(await lacking(storage, nameOfB)).toEqual([]);
    expect((await a.files.prune({ keep: 1 })).deleted).toEqual([]);

    expect(await b.files.prune({ keep: 1 })).toMatchObject({ kept: [{}], dropped: [{}] });
    expect(await filesIn(storage)).toEqual(
      [
        ...[nameOfA, 'a.css', hashed('a.css', 'a3')],
        ...[nameOfB, 'both.css', hashed('both.css', 'both'), 'b.css', hashed('b.css', 'b2')],
      ].sort(),
    );
    expect((await b.files.prune({ keep: 1 })).deleted).toEqual([]);
  });

  it('lose nothing that is published and of which the archive does not know', async () => {
    const storage = place();
    const a = projectIn(storage, { manifestName: 'a.json' });
    const b = projectIn(storage, { manifestName: 'b.json' });
    await b.deploy({ 'b.css': 'b1' });
    const archive = (await namesIn(storage)).filter(isArchived);
    await b.deploy({ 'b.css': 'b2' });
    const latest = (await namesIn(storage))
      .filter(isArchived)
      .find((name) => !archive.includes(name));
    await storage.delete(latest ?? '');
    await a.deploy({ 'a.css': 'a1' });
    await a.files.prune({ keep: 1 });
    expect(await lacking(storage, 'b.json')).toEqual([]);
    expect(await filesIn(storage)).toContain('b.json');
  });

  it('lose nothing where manifests are kept elsewhere', async () => {
    const storage = place();
    const manifestStorage = memoryStorage();
    const a = projectIn(storage, { manifestName: 'a.json', manifestStorage });
    const b = projectIn(storage, { manifestName: 'b.json', manifestStorage });
    await b.deploy({ 'b.css': 'b1' });
    for (const version of [1, 2]) await a.deploy({ 'a.css': `a${version}` });
    const archive = (await namesIn(storage)).filter(isArchived);
    await b.deploy({ 'b.css': 'b2' });
    const latest = (await namesIn(storage))
      .filter(isArchived)
      .find((name) => !archive.includes(name));
    await storage.delete(latest ?? '');
    expect(await a.files.prune({ keep: 1 })).toMatchObject({ kept: [{}], dropped: [{}] });
    expect(await filesIn(storage)).toEqual(
      [
        ...['a.css', hashed('a.css', 'a2')],
        ...['b.css', hashed('b.css', 'b1'), hashed('b.css', 'b2')],
      ].sort(),
    );
  });

  it('prune nothing while one of the others’ manifests cannot be read', async () => {
    const storage = place();
    const a = projectIn(storage, { manifestName: 'a.json' });
    const b = projectIn(storage, { manifestName: 'b.json' });
    await b.deploy({ 'b.css': 'b1' });
    for (const version of [1, 2]) await a.deploy({ 'a.css': `a${version}` });
    const [damaged = ''] = (await namesIn(storage)).filter((name) => name.includes('/b.json/'));
    await storage.write(damaged, Buffer.from('{'));
    const before = await filesIn(storage);
    await expect(a.files.prune({ keep: 1 })).rejects.toThrow(
      /^Nothing was pruned: the manifest of another deploy cannot be read, .*\/b\.json\/\S+ is no JSON/,
    );
    expect(await filesIn(storage)).toEqual(before);
    // What is only called so, is no manifest.
    await storage.delete(damaged);
    await b.deploy({ 'b.css': 'b2' });
    await storage.write('b.json', Buffer.from('{"own": true}'));
    await a.files.prune({ keep: 1 });
    expect(await filesIn(storage)).toEqual(expect.arrayContaining(['b.json', 'b.css']));
  });

  it('are all cleared away by --clear', async () => {
    const storage = place();
    const a = projectIn(storage, { manifestName: 'a.json' });
    const b = projectIn(storage, { manifestName: 'b.json' });
    await b.deploy({ 'x.css': 'x' });
    await a.deploy({ 'x.css': 'x' });
    await a.files.collect({ clear: true });
    expect(await filesIn(storage)).toEqual(['a.json', 'x.css', hashed('x.css', 'x')].sort());
    expect((await namesIn(storage)).filter(isArchived)).toEqual([
      expect.stringMatching(/^\.staticfiles\/manifests\/a\.json\/[^/]+$/),
    ]);
    await b.deploy({ 'x.css': 'x', 'y.css': 'y' });
    await a.files.prune({ keep: 1 });
    expect(await lacking(storage, 'a.json')).toEqual([]);
    expect(await lacking(storage, 'b.json')).toEqual([]);
  });

  it('publish what is theirs, whoever collected last', async () => {
    const storage = place();
    const a = projectIn(storage, { manifestName: 'a.json' });
    const b = projectIn(storage, { manifestName: 'b.json', keepOriginals: false });
    const css = (width: number) => `p { background: url(p.png); width: ${width}px }`;
    for (const [step, width] of [1, 2, 1, 3].entries()) {
      await a.deploy({ 'x.css': css(width), 'p.png': 'p', 'a.txt': `${step}` });
      await b.deploy({ 'x.css': css(width + 1), 'p.png': `p${step % 2}`, 'b.txt': 'b' });
      await a.files.refresh();
      await b.files.refresh();
      for (const [{ files }, png, own] of [
        [a, 'p', width],
        [b, `p${step % 2}`, width + 1],
      ] as const) {
        expect(files.staticUrl('p.png')).toBe(`/static/${hashed('p.png', png)}`);
        const text = css(own).replace('p.png', hashed('p.png', png));
        const name = files.staticUrl('x.css').slice('/static/'.length);
        expect(Buffer.from((await storage.read(name)) ?? []).toString()).toBe(text);
        expect((await files.collect()).published).toBe(false);
      }
      expect(await lacking(storage, 'a.json')).toEqual([]);
      expect(await lacking(storage, 'b.json')).toEqual([]);
    }
  });
});
