import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { CollectEvent } from '../../src/collect/run.js';
import type { Finder } from '../../src/finder.js';
import { createStaticFiles } from '../../src/static-files.js';
import type { Storage } from '../../src/storage.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { add, project } from '../project.js';

function site(files: Record<string, string>, settings = {}) {
  const root = project(files);
  return {
    root,
    files: createStaticFiles({ baseDir: root, dirs: ['a', 'b'], staticRoot: 'out', ...settings }),
  };
}

/** What a storage holds, as text. */
async function contents(storage: Storage): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for await (const name of storage.list()) {
    all[name] = new TextDecoder().decode(await storage.read(name));
  }
  return all;
}

describe('collecting', () => {
  it('warns of names that templates cannot spell, which those of a manifest are not', async () => {
    const sources = { 'a/what?.css': '1', 'b/c#.css': '2' };
    expect((await site(sources).files.collect()).warnings).toEqual(
      ['what?.css', 'c#.css'].map(
        (name) =>
          `The name '${name}' holds '?' or '#': with a plain storage, templates cannot tell it from a suffix.`,
      ),
    );
    const hashed = site(sources, { storage: hashedStorage(), debug: false }).files;
    expect((await hashed.collect()).warnings).toEqual([]);
    expect(hashed.staticUrl('c#.css')).toMatch(/^\/static\/c%23\.[\da-f]{12}\.css$/);
  });

  it('works with any storage', async () => {
    const storage = memoryStorage();
    const { files } = site(
      { 'a/x.css': '1', 'b/y/z.css': '2' },
      { storage, staticRoot: undefined },
    );
    const report = await files.collect();
    expect(report).toMatchObject({ destination: undefined, copied: ['x.css', 'y/z.css'] });
    expect(await contents(storage)).toEqual({ 'x.css': '1', 'y/z.css': '2' });
    expect(await files.collect()).toMatchObject({ copied: [], unmodified: ['x.css', 'y/z.css'] });
    await storage.write('old', new Uint8Array());
    expect(await files.collect({ clear: true })).toMatchObject({ deleted: ['old'] });
    await expect(files.collect({ link: true })).rejects.toThrow('on this machine only');
  });

  it('refuses options that it does not know', async () => {
    const { files } = site({ 'a/x': '' });
    await expect(files.collect({ dryrun: true } as object)).rejects.toThrow(
      "'dryrun' is no option of collect(). Did you mean 'dryRun'?",
    );
  });

  it('tells each step as it is taken', async () => {
    const { root, files } = site({ 'a/x': '1', 'b/x': '2', 'out/old': '' });
    symlinkSync('nowhere', join(root, 'a/dangling'));
    const events: CollectEvent[] = [];
    await files.collect({ clear: true, onEvent: (event) => events.push(event) });
    expect(events).toEqual([
      { type: 'shadowed', name: 'x', path: join(root, 'b/x'), winner: join(root, 'a/x') },
      { type: 'copy', name: 'x', path: join(root, 'a/x') },
      { type: 'progress', stage: 'copying', done: 1, total: 1, bytes: 1 },
      { type: 'warning', message: expect.stringContaining('a link to nowhere') },
      { type: 'delete', name: 'old' },
    ]);
  });

  it('gives copies their permissions and their source’s time', async () => {
    const { root, files } = site({ 'a/x': '1' });
    chmodSync(join(root, 'a/x'), 0o600);
    await files.collect();
    const copy = statSync(join(root, 'out/x'));
    if (process.platform !== 'win32') expect(copy.mode & 0o777).toBe(0o644);
    expect(Math.abs(copy.mtimeMs - statSync(join(root, 'a/x')).mtimeMs)).toBeLessThan(1);
  });

  it('reads sources through links, and copies what they lead to', async () => {
    const { root, files } = site({ 'a/real.css': '1', 'elsewhere/deep/x.css': '2' });
    symlinkSync('real.css', join(root, 'a/link.css'));
    symlinkSync(join(root, 'elsewhere'), join(root, 'a/folder'));
    await files.collect();
    expect(await contents(files.storage)).toEqual({
      'real.css': '1',
      'link.css': '1',
      'folder/deep/x.css': '2',
    });
    expect(statSync(join(root, 'out/link.css')).isFile()).toBe(true);
  });

  it('warns of names that templates cannot tell from a suffix', async () => {
    const { files } = site({ 'a/what?.css': '', 'a/c#.css': '' }, { dirs: ['a'] });
    const { warnings, copied } = await files.collect();
    expect(copied).toEqual(['c#.css', 'what?.css']);
    expect(warnings).toEqual([
      expect.stringContaining("'c#.css'"),
      expect.stringContaining("'what?.css'"),
    ]);
  });

  it('takes finders of the user’s own, and those that must be awaited', async () => {
    const root = project({ 'x.css': '1' });
    const path = join(root, 'x.css');
    const finder: Finder = {
      find: (name) => (name === 'own/x.css' ? [{ name, path }] : []),
      async *list({ ignore }) {
        for (const name of ['own/x.css', 'own/skip.map']) if (!ignore(name)) yield { name, path };
      },
    };
    const files = createStaticFiles({
      baseDir: root,
      finders: [finder],
      staticRoot: 'out',
      ignore: ['*.map'],
    });
    expect(files.find('own/x.css')).toBe(path);
    expect((await files.collect()).copied).toEqual(['own/x.css']);
  });
});

describe('collecting, with faults', () => {
  it('refuses sources that need one name for a file and a folder, before it writes', async () => {
    const { root, files } = site({ 'a/x': 'file', 'b/x/y.css': '', 'a/other': '' });
    await expect(files.collect()).rejects.toThrow(
      /'x' is a file in .* and a folder in .*\. Rename one of them/,
    );
    expect(existsSync(join(root, 'out'))).toBe(false);
  });

  it('says when a folder stands in a file’s place or the reverse, and --clear removes it', async () => {
    const { root, files } = site({ 'a/x': 'file', 'a/y/z': 'file' });
    mkdirSync(join(root, 'out/x/deep'), { recursive: true });
    writeFileSync(join(root, 'out/y'), '');
    await expect(files.collect()).rejects.toThrow(
      /could not be collected from .*--clear removes it/,
    );
    await files.collect({ clear: true });
    expect(await contents(files.storage)).toEqual({ x: 'file', 'y/z': 'file' });
  });

  it('leaves the published file as it was where the new one cannot be written', async () => {
    const { root, files } = site({ 'a/x': 'old' });
    await files.collect();
    add(root, { 'a/x': 'newer' });
    const { storage } = files;
    const broken: Storage = {
      ...storage,
      writeFile: async () => {
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      },
    };
    const again = createStaticFiles({
      baseDir: root,
      dirs: ['a'],
      storage: () => ({ ...broken, attach: () => broken }),
    });
    await expect(again.collect()).rejects.toThrow(
      /'x' could not be collected .*The disk is full; what was published before is still there/,
    );
    expect(readFileSync(join(root, 'out/x'), 'utf8')).toBe('old');
  });

  it('leaves no half-written files behind', async () => {
    const { root, files } = site({ 'a/x': 'x', 'a/y': 'y' });
    mkdirSync(join(root, 'out'));
    rmSync(join(root, 'a/y'));
    mkdirSync(join(root, 'out/x')); // the move into place fails
    await expect(files.collect()).rejects.toThrow('--clear');
    expect(readdirSync(join(root, 'out'))).toEqual(['x']);
  });

  it('says when a source vanishes meanwhile', async () => {
    const { root, files } = site({ 'a/x': 'x', 'a/y': 'y', 'b/y': 'shadowed' });
    const onEvent = ({ type }: CollectEvent) => {
      // That is told between planning and writing.
      if (type === 'shadowed') rmSync(join(root, 'a/x'));
    };
    await expect(files.collect({ onEvent })).rejects.toThrow(
      /'x' could not be collected .*The source vanished meanwhile/,
    );
  });

  it('follows no link to what was collected, or to a folder above the source', async () => {
    const { root, files } = site({ 'a/x': 'x', 'b/y': 'y', 'package.json': '{}' });
    await files.collect();
    symlinkSync(join(root, 'out'), join(root, 'a/out'));
    symlinkSync('..', join(root, 'b/up'));
    for (let run = 0; run < 2; run++) {
      const { copied, unmodified, warnings } = await files.collect();
      expect({ copied, unmodified }).toEqual({ copied: [], unmodified: ['x', 'y'] });
      expect(warnings).toHaveLength(2);
    }
  });

  it('clears a link in a folder’s place, and not the files that belong there', async () => {
    const { root, files } = site({ 'a/css/x': 'x', 'b/y': 'y' });
    mkdirSync(join(root, 'elsewhere'));
    mkdirSync(join(root, 'out'));
    symlinkSync(join(root, 'elsewhere'), join(root, 'out/css'));
    await files.collect();
    await files.collect({ clear: true });
    expect(await contents(files.storage)).toEqual({ 'css/x': 'x', y: 'y' });
  });

  it('clears what a killed run left half-written long ago, and nothing newer', async () => {
    const { files } = site({ 'a/x': 'x', 'b/y': 'y', 'out/.staticfiles-partial-1': 'x' });
    expect((await files.collect({ clear: true })).deleted).toEqual([]);
    vi.useFakeTimers({ now: Date.now() + 2 * 3_600_000, toFake: ['Date'] });
    try {
      expect((await files.collect({ clear: true })).deleted).toEqual(['.staticfiles-partial-1']);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    [{ ignore: '*.map' }, "ignore must be an array of shell patterns: ['*.map']."],
    [{ ignore: [5] }, 'ignore must be an array of shell patterns'],
    [{ dryRun: 'no' }, 'dryRun must be true or false.'],
    [{ onEvent: true }, 'onEvent must be a function.'],
  ])('refuses %j', async (options, why) => {
    const { files } = site({ 'a/x': 'x', 'out/x': 'x' });
    await expect(files.collect({ clear: true, ...options } as object)).rejects.toThrow(why);
  });

  it('refuses what a finder of one’s own must not list', async () => {
    const root = project({});
    for (const [listed, why] of [
      [5, 'finders[0].list() must answer what can be iterated.'],
      [[{ name: 5, path: '/x' }], 'finders[0].list() yields { name: 5, path: "/x" }'],
      [[{ name: '//x', path: '/x' }], 'the name must be a plain one'],
      [[{ name: 'd/', path: '/x' }], 'the name must be a plain one'],
      [[{ name: 'x' }], 'and the path a string'],
    ] as const) {
      const finder = { find: () => [], list: () => listed } as unknown as Finder;
      const files = createStaticFiles({ baseDir: root, finders: [finder], staticRoot: 'out' });
      await expect(files.collect()).rejects.toThrow(why);
    }
  });

  it('survives links that lead in a circle', async () => {
    const { root, files } = site({ 'a/deep/x': 'x' });
    symlinkSync('..', join(root, 'a/deep/up'));
    symlinkSync('self', join(root, 'a/self'));
    const { copied, warnings } = await files.collect();
    expect(copied).toEqual(['deep/x']);
    expect(warnings.join('\n')).toMatch(
      /a link back into a folder above it[\s\S]*self is left out/,
    );
  });
});
