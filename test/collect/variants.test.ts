import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createStaticFiles } from '../../src/static-files.js';
import type { Storage } from '../../src/storage.js';
import { fileSystemStorage } from '../../src/storages/filesystem.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { type HashedSite, hashedSite, hashOf, inBoth, storedIn, tree } from './hashed-site.js';

const TEXT = 'a { color: red }\n'.repeat(50);
const OTHER = 'b { color: blue }\n'.repeat(60);
const NOISE = randomBytes(1000);
const [T, O, N] = [TEXT, OTHER, NOISE].map((content) => hashOf(content));

/** The names that end as compressed forms do. */
function variantsIn(site: HashedSite): string[] {
  return Object.keys(tree(site.out('')))
    .filter((name) => /\.(br|gz|zst)$/.test(name))
    .sort();
}

function mtimes(site: HashedSite): bigint[] {
  return variantsIn(site).map((name) => statSync(site.out(name), { bigint: true }).mtimeNs);
}

/** The same project with other settings. */
function again(site: HashedSite, settings: object) {
  return createStaticFiles({
    baseDir: site.root,
    dirs: ['src'],
    staticRoot: 'out',
    storage: hashedStorage(),
    ...settings,
  });
}

/** What a storage holds, but for what runs keep for themselves. */
describe('compressed forms', () => {
  it('lie beside each name of a content, are made once, and stand in the manifest', async () => {
    const site = hashedSite(
      { 'a.css': TEXT, 'b.js': "import './c.js'//".padEnd(500), 'c.js': '' },
      {
        compress: true,
      },
    );
    const { compressed } = await site.collect();
    const b = site.names()['b.js'];
    expect(variantsIn(site)).toEqual(
      [`a.${T}.css.br`, `a.${T}.css.gz`, 'a.css.br', 'a.css.gz', `${b}.br`, `${b}.gz`].sort(),
    );
    expect(zlib.brotliDecompressSync(readFileSync(site.out('a.css.br'))).toString()).toBe(TEXT);
    expect(zlib.gunzipSync(readFileSync(site.out(`${b}.gz`))).toString()).toBe(site.text('b.js'));
    for (const suffix of ['br', 'gz']) {
      const [hashed, plain] = [`a.${T}.css.${suffix}`, `a.css.${suffix}`].map((name) =>
        statSync(site.out(name)),
      );
      expect(plain?.ino).toBe(hashed?.ino);
      expect((plain?.mode ?? 0) & 0o777).toBe(0o644);
    }
    const sizeOf = (name: string) => statSync(site.out(name)).size;
    const manifest = JSON.parse(readFileSync(site.out('staticfiles.json'), 'utf8'));
    expect(manifest.variants).toEqual({
      'a.css': { br: sizeOf('a.css.br'), gzip: sizeOf('a.css.gz') },
      'b.js': { br: sizeOf(`${b}.br`), gzip: sizeOf(`${b}.gz`) },
    });
    expect(manifest.sizes).toEqual({ 'a.css': TEXT.length, 'b.js': sizeOf(b ?? ''), 'c.js': 0 });
    const smallest = (name: string) => Math.min(sizeOf(`${name}.br`), sizeOf(`${name}.gz`));
    expect(compressed).toEqual({
      files: 2,
      made: 2,
      saved: TEXT.length - smallest('a.css') + sizeOf(b ?? '') - smallest(b ?? ''),
    });
  });

  it.each<[string, string, string | Uint8Array]>([
    ['what does not get smaller', 'noise.css', NOISE],
    ['what gets smaller by less than 5 %', 'noise.js', Buffer.concat([NOISE, Buffer.alloc(20)])],
    ['nothing', 'empty.css', ''],
    ['pictures', 'a.png', TEXT],
    ['archives', 'a.tar.GZ', TEXT],
    ['fonts that are compressed', 'a.woff2', TEXT],
  ])('are not kept of %s, and not tried again', async (_, name, content) => {
    const site = hashedSite({ [name]: content }, { compress: true });
    const { compressed } = await site.collect();
    expect(compressed).toMatchObject({ files: 0, saved: 0 });
    expect(variantsIn(site)).toEqual([]);
    expect(readFileSync(site.out('staticfiles.json'), 'utf8')).not.toContain('"variants"');
    expect((await site.collect()).compressed).toEqual({ files: 0, made: 0, saved: 0 });
  });

  it('are the same bytes on every machine: gzip holds no time', async () => {
    const trees = [];
    for (let run = 0; run < 2; run++) {
      const site = hashedSite({ 'a.css': TEXT, 'b.css': OTHER }, { compress: true });
      await site.collect();
      trees.push(tree(site.out('')));
      expect([...readFileSync(site.out('a.css.gz')).subarray(4, 8)]).toEqual([0, 0, 0, 0]);
    }
    expect(trees[0]).toEqual(trees[1]);
  });

  it('are not made again where the content is the same', async () => {
    const site = hashedSite(
      { 'a.css': TEXT, 'b.css': OTHER, 'noise.css': NOISE },
      { compress: true },
    );
    const first = await site.collect();
    const before = mtimes(site);
    expect(first.compressed).toMatchObject({ files: 2, made: expect.anything() });
    expect((await site.collect()).compressed).toEqual({ ...first.compressed, made: 0 });
    site.put({ 'a.css': TEXT });
    expect((await site.collect()).compressed).toEqual({ ...first.compressed, made: 0 });
    expect(mtimes(site)).toEqual(before);
  });

  it('are made again where one was deleted', async () => {
    const site = hashedSite({ 'a.css': TEXT, 'b.css': OTHER }, { compress: true });
    await site.collect();
    const sound = tree(site.out(''));
    for (const name of ['a.css.br', `a.${T}.css.gz`]) {
      rmSync(site.out(name));
      expect((await site.collect()).compressed).toMatchObject({ files: 2, made: 1 });
      expect(tree(site.out(''))).toEqual(sound);
    }
  });

  it.each<[string, string | Uint8Array, string[]]>([
    ['compressible', OTHER, [`a.${O}.css.br`, `a.${O}.css.gz`, 'a.css.br', 'a.css.gz']],
    ['not worth it', NOISE, []],
    ['rewritten', `${TEXT}@import "b.css";`, []],
  ])('of a plain name go with its content: the new one is %s', async (_, content, added) => {
    const site = hashedSite({ 'a.css': TEXT, 'b.css': '' }, { compress: true });
    await site.collect();
    const old = [`a.${T}.css.br`, `a.${T}.css.gz`];
    site.put({ 'a.css': content });
    await site.collect();
    const own = variantsIn(site).filter((name) => !old.includes(name));
    const rewrittenName = site.names()['a.css'];
    expect(own).toEqual(
      typeof content === 'string' && content.includes('@import ')
        ? [`${rewrittenName}.br`, `${rewrittenName}.gz`]
        : [...added].sort(),
    );
    if (added.includes('a.css.gz')) {
      expect(zlib.gunzipSync(readFileSync(site.out('a.css.gz'))).toString()).toBe(content);
    }
    // An earlier deploy keeps its own.
    expect(variantsIn(site)).toEqual(expect.arrayContaining(old));
  });

  it('of plain names go when compress goes, and nobody else’s', async () => {
    const site = hashedSite({ 'a.css': TEXT, 'b.css': OTHER }, { compress: true });
    await site.collect();
    const off = again(site, { compress: false });
    await off.collect();
    expect(variantsIn(site).filter((name) => /^[ab]\.css/.test(name))).toEqual([]);
    expect(readFileSync(site.out('staticfiles.json'), 'utf8')).not.toContain('"variants"');
    writeFileSync(site.out('a.css.gz'), 'made by another tool');
    await off.collect();
    expect(variantsIn(site)).toContain('a.css.gz');
    expect((await off.collect({ clear: true })).deleted).toContain('a.css.gz');
    expect(variantsIn(site)).toEqual([]);
  });

  it('stay when the rest is cleared, and go with their file', async () => {
    const site = hashedSite({ 'a.css': TEXT, 'b.css': OTHER }, { compress: true });
    await site.collect();
    expect((await site.collect({ clear: true })).deleted).toEqual([]);
    site.drop('a.css');
    const { deleted } = await site.collect({ clear: true });
    expect(deleted.filter((name) => !name.startsWith('.staticfiles/')).sort()).toEqual(
      [`a.${T}.css`, `a.${T}.css.br`, `a.${T}.css.gz`, 'a.css', 'a.css.br', 'a.css.gz'].sort(),
    );
  });

  it('do not stand in the way of a source that has such a name', async () => {
    const site = hashedSite(
      { 'a.css': TEXT, 'a.css.br': 'own', 'b.css': OTHER },
      { compress: true },
    );
    await site.collect();
    expect(readFileSync(site.out('a.css.br'), 'utf8')).toBe('own');
    expect(site.text('a.css.br')).toBe('own');
    expect(existsSync(site.out(`a.${T}.css.br`))).toBe(false);
    expect(existsSync(site.out('a.css.gz'))).toBe(true);
    // It comes and goes.
    site.put({ 'b.css.gz': 'own' });
    await site.collect();
    expect(readFileSync(site.out('b.css.gz'), 'utf8')).toBe('own');
    site.drop('b.css.gz', 'a.css.br');
    await site.collect();
    for (const name of ['a.css', 'b.css']) {
      const [br, gz] = [readFileSync(site.out(`${name}.br`)), readFileSync(site.out(`${name}.gz`))];
      expect(zlib.gunzipSync(gz)).toEqual(zlib.brotliDecompressSync(br));
    }
  });

  it('are told in the manifest alike, whatever came before', async () => {
    const sources = { 'a.css': TEXT, 'b.css': OTHER, 'noise.js': NOISE };
    const site = hashedSite(sources);
    const codings = [['gzip'], [], ['br', 'gzip'], ['br'], ['gzip', 'br'], ['gzip'], []] as const;
    for (const compress of codings) {
      await again(site, { compress }).collect({ clear: true });
      const cold = hashedSite(sources, { compress });
      await cold.collect();
      expect(tree(site.out('')), `${compress}`).toEqual(tree(cold.out('')));
    }
  });

  it('are told no more when compress goes, though nobody remembers them', async () => {
    const site = hashedSite({ 'a.css': TEXT }, { compress: true });
    await site.collect();
    rmSync(site.out('.staticfiles/variants.json'));
    await again(site, {}).collect();
    expect(readFileSync(site.out('staticfiles.json'), 'utf8')).not.toContain('variants');
  });

  it('follow a file that was hashed already and changes under its name', async () => {
    const site = hashedSite({ 'a.0.css': TEXT }, { compress: true, prehashed: '*' });
    await site.collect();
    const before = mtimes(site);
    await site.collect();
    expect(mtimes(site)).toEqual(before);
    site.put({ 'a.0.css': OTHER });
    await site.collect();
    expect(zlib.gunzipSync(readFileSync(site.out('a.0.css.gz'))).toString()).toBe(OTHER);
  });

  it('are not made of links, whose content may change any time', async () => {
    const site = hashedSite({ 'a.css': TEXT }, { compress: ['gzip'] });
    await site.collect({ link: true });
    expect(variantsIn(site)).toEqual([`a.${T}.css.gz`]);
  });

  it('are the same from several threads', async () => {
    const sources = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`${index}.css`, `/* ${index} */`.repeat(400)]),
    );
    const site = hashedSite(sources, { compress: ['gzip'] });
    const progress: number[] = [];
    await site.collect({
      onEvent(event) {
        if (event.type === 'progress' && event.stage === 'compressing') progress.push(event.done);
      },
    });
    expect(progress).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    for (const [name, content] of Object.entries(sources)) {
      const gz = readFileSync(site.out(`${site.names()[name]}.gz`));
      expect(gz.equals(zlib.gzipSync(content, { level: 9 }))).toBe(true);
    }
    expect(readdirSync(site.out('.staticfiles')).sort()).toEqual([
      'manifests',
      'state.json',
      'variants.json',
    ]);
  });

  const hasZstd = 'zstdCompressSync' in zlib;
  it.skipIf(!hasZstd)(
    `may be zstd${hasZstd ? '' : ` (skipped: Node ${process.version} has none; 22.15 has)`}`,
    async () => {
      const site = hashedSite({ 'a.css': TEXT }, { compress: ['zstd'] });
      await site.collect();
      expect(variantsIn(site)).toEqual([`a.${T}.css.zst`, 'a.css.zst']);
      const { zstdDecompressSync } = zlib as unknown as {
        zstdDecompressSync(body: Uint8Array): Buffer;
      };
      expect(zstdDecompressSync(readFileSync(site.out('a.css.zst'))).toString()).toBe(TEXT);
    },
  );
});

describe('compressed forms of plain names', () => {
  const storages: [string, () => Storage][] = [
    ['the file system', () => fileSystemStorage()],
    ['memory', () => memoryStorage()],
  ];
  it.each(storages)('follow their content in %s', async (_, make) => {
    const { root, put, drop } = hashedSite({ 'a.css': TEXT, 'noise.css': NOISE });
    const settings = { baseDir: root, dirs: ['src'], staticRoot: 'out', storage: make() };
    const files = createStaticFiles({ ...settings, compress: ['gzip'] });
    const names = async () => Object.keys(await storedIn(files.storage)).sort();
    const unpacked = async () =>
      zlib.gunzipSync((await files.storage.read('a.css.gz')) ?? '').toString();
    expect((await files.collect()).compressed).toMatchObject({ files: 1 });
    expect(await unpacked()).toBe(TEXT);
    expect((await files.collect()).compressed).toMatchObject({ files: 1 });
    put({ 'a.css': OTHER });
    await files.collect();
    expect(await unpacked()).toBe(OTHER);
    put({ 'a.css': NOISE });
    await files.collect();
    expect(await names()).toEqual(['a.css', 'noise.css']);
    put({ 'a.css': TEXT, 'a.css.gz': 'own' });
    await files.collect();
    expect(Buffer.from((await files.storage.read('a.css.gz')) ?? []).toString()).toBe('own');
    drop('a.css.gz');
    await files.collect();
    expect(await unpacked()).toBe(TEXT);
    const off = createStaticFiles({ ...settings, storage: files.storage });
    await off.collect();
    // Elsewhere one that goes with its content may be somebody else's.
    const left = files.storage.path ? [] : ['a.css.gz'];
    expect(await names()).toEqual(['a.css', ...left, 'noise.css']);
    put({ 'a.css': OTHER });
    await off.collect();
    expect(await names()).toEqual(['a.css', 'noise.css']);
  });

  it('are made and read elsewhere as here', async () => {
    const storage = memoryStorage();
    const sources = { 'a.css': TEXT, 'b.css': '@import "a.css";'.padEnd(300), 'noise.css': NOISE };
    const elsewhere = hashedSite(sources, { compress: true, hashed: { over: storage } });
    const here = hashedSite(sources, { compress: true });
    const [far, near] = [await elsewhere.collect(), await here.collect()];
    expect(inBoth(await storedIn(storage))).toEqual(inBoth(tree(here.out(''))));
    expect(far.compressed).toEqual(near.compressed);
    expect((await elsewhere.collect()).compressed).toMatchObject({ files: 2 });
    expect((await elsewhere.collect({ clear: true })).deleted).toEqual([]);
    elsewhere.put({ 'a.css': NOISE });
    here.put({ 'a.css': NOISE });
    await elsewhere.collect({ clear: true });
    await here.collect({ clear: true });
    expect(inBoth(await storedIn(storage))).toEqual(inBoth(tree(here.out(''))));
    expect(Object.keys(await storedIn(storage))).toContain(`a.${N}.css`);
    expect(existsSync(join(elsewhere.root, 'out'))).toBe(false);
  });
});
