import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PruneOptions } from '../../src/collect/prune.js';
import { createStaticFiles } from '../../src/static-files.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { type HashedSite, hashedSite, hashOf, storedIn, tree } from './hashed-site.js';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const name = (content: string) => `a.${hashOf(content)}.css`;

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** Deploys one content a day. The first day is the START. */
async function deployed(contents: readonly string[], settings = {}): Promise<HashedSite> {
  const site = hashedSite({}, settings);
  for (const [day, content] of contents.entries()) {
    vi.setSystemTime(START + day * DAY);
    site.put({ 'a.css': content });
    await site.collect();
  }
  return site;
}

/** Which contents are there under hashed names. */
function left(site: HashedSite, contents: readonly string[]): string[] {
  return contents.filter((content) => existsSync(site.out(name(content))));
}

describe('pruning', () => {
  const CONTENTS = ['1', '2', '3', '4', '5'];

  it.each<[what: string, PruneOptions, left: string[]]>([
    ['the present one and two before it, unless told', {}, ['3', '4', '5']],
    ['so many', { keep: 2 }, ['4', '5']],
    ['the present one alone', { keep: 1 }, ['5']],
    ['all that there are', { keep: 9 }, CONTENTS],
    // 5 replaced 4 yesterday, 4 replaced 3 the day before.
    ['those that were replaced not long ago', { olderThan: '36h' }, ['4', '5']],
    ['in seconds too', { olderThan: 2.5 * 86_400 }, ['3', '4', '5']],
    ['in weeks', { olderThan: '1w' }, CONTENTS],
    ['of any age', { olderThan: 0 }, ['5']],
    [
      'so many and not long ago: whichever keeps more',
      { keep: 4, olderThan: '36h' },
      ['2', '3', '4', '5'],
    ],
    ['the reverse', { keep: 1, olderThan: '60h' }, ['3', '4', '5']],
  ])('keeps %s: %j', async (_, options, expected) => {
    const site = await deployed(CONTENTS);
    vi.setSystemTime(START + 5 * DAY);
    const dry = await site.files.prune({ ...options, dryRun: true });
    expect(left(site, CONTENTS)).toEqual(CONTENTS);
    const sizes = dry.deleted.map((name) => statSync(site.out(name)).size);
    const told: string[] = [];
    const report = await site.files.prune({ ...options, onDelete: (name) => told.push(name) });
    expect(left(site, CONTENTS)).toEqual(expected);
    expect({ ...report, dryRun: true }).toEqual(dry);
    expect(report.kept).toHaveLength(expected.length);
    expect(report.dropped).toHaveLength(CONTENTS.length - expected.length);
    expect(report.kept[0]).toEqual({ published: new Date(START + 4 * DAY), names: 1 });
    expect(told).toEqual(report.deleted);
    expect(report.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(report.bytes).toBeGreaterThanOrEqual(100 * report.dropped.length); // the manifests too
    expect(readdirSync(site.out('.staticfiles/manifests'))).toHaveLength(expected.length);
    // What is left is enough for the next run, and there is nothing more to prune.
    expect(await site.collect()).toMatchObject({ copied: [] });
    expect((await site.files.prune(options)).deleted).toEqual([]);
  });

  it('keeps every file that a kept deploy names: shared, plain, compressed', async () => {
    const site = hashedSite({ 'a.css': 'a', 'b.css': 'b'.repeat(500) }, { compress: ['gzip'] });
    await site.collect();
    vi.setSystemTime(START + DAY);
    site.put({ 'a.css': 'A', 'c.css': 'c' });
    site.drop('b.css');
    await site.collect();
    writeFileSync(site.out('stray.txt'), 'stray');
    const before = Object.keys(tree(site.out(''))).sort();
    expect((await site.files.prune({ keep: 2 })).deleted).toEqual(['stray.txt']);
    expect(Object.keys(tree(site.out(''))).sort()).toEqual(
      before.filter((name) => name !== 'stray.txt'),
    );
    await site.files.prune({ keep: 1 });
    expect(Object.keys(tree(site.out(''))).sort()).toEqual(
      ['a.css', name('A'), 'c.css', `c.${hashOf('c')}.css`, 'staticfiles.json'].sort(),
    );
  });

  it('counts a deploy that went back to what was before as the latest', async () => {
    const site = await deployed(['1', '2', '1']);
    await site.files.prune({ keep: 2 });
    expect(left(site, ['1', '2'])).toEqual(['1', '2']);
    await site.files.prune({ keep: 1 });
    expect(left(site, ['1', '2'])).toEqual(['1']);
    expect(site.text('a.css')).toBe('1');
  });

  it('counts no deploy where nothing changed', async () => {
    const site = await deployed(['1', '2', '2', '2']);
    expect((await site.files.prune({ keep: 2, dryRun: true })).dropped).toHaveLength(1 - 1);
    expect(left(site, ['1', '2'])).toEqual(['1', '2']);
  });

  it('keeps what another program published here before us', async () => {
    const site = hashedSite({ 'a.css': '2' });
    const theirs = { paths: { 'a.css': 'a.theirs.css' }, version: '1.0', hash: '' };
    site.put({ '../out/a.theirs.css': '1', '../out/staticfiles.json': JSON.stringify(theirs) });
    await site.collect();
    expect((await site.files.prune({ keep: 2 })).deleted).toEqual([]);
    expect((await site.files.prune({ keep: 1 })).deleted).toContain('a.theirs.css');
  });

  it.each<[string, (site: HashedSite) => void, RegExp]>([
    [
      'without a manifest',
      (site) => rmSync(site.out('staticfiles.json')),
      /there is no manifest 'staticfiles\.json'.*Run collectstatic first/,
    ],
    [
      'with a damaged manifest',
      (site) => writeFileSync(site.out('staticfiles.json'), '{"paths'),
      /staticfiles\.json is no JSON/,
    ],
    [
      'with a damaged manifest of an earlier deploy',
      (site) => {
        const folder = site.out('.staticfiles/manifests');
        writeFileSync(`${folder}/${readdirSync(folder)[0]}`, '');
      },
      /another deploy cannot be read.*\.staticfiles\/manifests\/\S+ is no JSON: [^.]*\. Delete it if [^.]*\.$/,
    ],
  ])('removes nothing %s', async (_, damage, message) => {
    const site = await deployed(['1', '2', '3']);
    damage(site);
    const before = tree(site.out(''));
    const error: unknown = await site.files.prune({ keep: 1 }).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(message);
    expect(error).toMatchObject({ code: 'ERR_STATICFILES_COLLECT' });
    expect(tree(site.out(''))).toEqual(before);
  });

  it('refuses a plain storage, and options that cannot be', async () => {
    const plain = createStaticFiles({ staticRoot: '/nowhere' });
    await expect(plain.prune()).rejects.toThrow('only hashedStorage() keeps the files of earlier');
    const site = await deployed(['1']);
    const bad: [object, string][] = [
      [{ keep: 0 }, 'keep must be a whole number from 1'],
      [{ keep: 1.5 }, 'keep must be a whole number from 1'],
      [{ keep: '3' }, 'keep must be a whole number from 1'],
      [{ olderThan: '3 months' }, "not '3 months'"],
      [{ olderThan: -1 }, "not '-1'"],
      [{ olderThan: Number.NaN }, "not 'NaN'"],
      [{ older: 1 }, "'older' is no option of prune()"],
    ];
    for (const [options, message] of bad) {
      await expect(site.files.prune(options as PruneOptions)).rejects.toThrow(message);
    }
    expect(left(site, ['1'])).toEqual(['1']);
  });

  it('goes by the deploys elsewhere too', async () => {
    const storage = memoryStorage();
    const site = await deployed(['1', '2', '3'], { hashed: { over: storage } });
    await storage.write('of/others.css', new Uint8Array());
    const { deleted } = await site.files.prune({ keep: 2, dryRun: true });
    const sizes = await Promise.all(
      deleted.map(async (one) => (await storage.stat(one))?.size ?? 0),
    );
    const report = await site.files.prune({ keep: 2 });
    expect(report).toMatchObject({ kept: [{}, {}], dropped: [{}] });
    expect(report.bytes).toBe(sizes.reduce((sum, size) => sum + size));
    expect(sizes).toEqual([1, expect.toSatisfy((size: number) => size > 100)]);
    expect(report.deleted).toEqual([name('1'), expect.stringMatching('20260101T')]);
    expect(Object.keys(await storedIn(storage)).sort()).toEqual(
      [name('2'), name('3'), 'a.css', 'of/others.css', 'staticfiles.json'].sort(),
    );
  });

  it('leaves the manifest and what runs remember alone', async () => {
    const site = await deployed(['1', '2']);
    const manifest = readFileSync(site.out('staticfiles.json'), 'utf8');
    await site.files.prune({ keep: 1 });
    expect(readFileSync(site.out('staticfiles.json'), 'utf8')).toBe(manifest);
    expect(readdirSync(site.out('.staticfiles')).sort()).toEqual(['manifests', 'state.json']);
    site.put({ 'a.css': '1' });
    await site.collect();
    expect(site.text('a.css')).toBe('1');
  });
});
