import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { publishedAt } from '../../src/archive.js';
import { parseManifest } from '../../src/manifest.js';
import { fileSystemStorage } from '../../src/storages/filesystem.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { hashedSite, hashOf } from './hashed-site.js';

const NAMES = [
  '10.css',
  '2.css',
  '1',
  '__proto__',
  'constructor',
  'a"b\'c.js',
  'tab\tand\nbreak.txt',
  'del\x7f and \x01.txt',
  'ünï.css',
  'ａ.css', // above every surrogate as a code unit, below 😀 as a code point
  '😀.css',
  'Z.css',
  'a.css',
  'a/b.css',
  'a-b.css',
];
const SOURCES = Object.fromEntries(NAMES.map((name) => [name, name]));

const python = process.env.PYTHON ?? '/usr/bin/python3';
const hasPython = (() => {
  try {
    execFileSync(python, ['-c', '0'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Django 4.2's ManifestFilesMixin.save_manifest() over a manifest's own paths. */
const PYTHON = `
import hashlib, json, sys
content = json.load(open(sys.argv[1], encoding="utf-8"))
paths = content["paths"]
print(json.dumps({
    "hash": hashlib.md5(json.dumps(sorted(paths.items())).encode()).hexdigest()[:12],
    "sorted": list(paths) == sorted(paths) and list(content["sizes"]) == sorted(paths),
    "paths": paths,
}))`;

async function manifestOf(sources: Record<string, string>) {
  const site = hashedSite(sources, { ignore: [] });
  await site.collect();
  const path = site.out('staticfiles.json');
  const text = readFileSync(path, 'utf8');
  return { path, text, content: JSON.parse(text) };
}

describe('the manifest', () => {
  it('is Django’s, in ASCII, with sizes besides', async () => {
    const { text, content } = await manifestOf({ 'b.css': 'url(a.png)', 'a.png': 'x' });
    const b = `url(a.${hashOf('x')}.png)`;
    const pairs = `[["a.png", "a.${hashOf('x')}.png"], ["b.css", "b.${hashOf(b)}.css"]]`;
    expect(text).toBe(`{
"paths": {
"a.png": "a.${hashOf('x')}.png",
"b.css": "b.${hashOf(b)}.css"
},
"version": "1.0",
"hash": "${hashOf(pairs)}",
"sizes": {
"a.png": 1,
"b.css": ${b.length}
}
}
`);
    expect(content.hash).toMatch(/^[\da-f]{12}$/);
  });

  it('has all names, whatever characters they have, sorted by code point', async () => {
    const { text, content } = await manifestOf(SOURCES);
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
    expect(Object.keys(content.paths).sort()).toEqual(NAMES.toSorted());
    expect([...parseManifest(Buffer.from(text), '').paths.keys()].sort()).toEqual(NAMES.toSorted());
    const lines = text.slice(text.indexOf('{', 1), text.indexOf('},')).split('\n').slice(1, -1);
    const codePoints = (name: string) =>
      [...name].map((character) => character.codePointAt(0) ?? 0);
    const compare = (a: number[], b: number[]) => {
      const at = a.findIndex((point, index) => point !== b[index]);
      return at < 0 ? -1 : (a[at] ?? -1) - (b[at] ?? -1);
    };
    const sorted = NAMES.toSorted((a, b) => compare(codePoints(a), codePoints(b)));
    expect(lines.map((line) => Object.keys(JSON.parse(`{${line.replace(/,$/, '')}}`))[0])).toEqual(
      sorted,
    );
    expect(content.sizes).toEqual(
      Object.fromEntries(NAMES.map((name) => [name, Buffer.byteLength(name)])),
    );
  });

  it.skipIf(!hasPython)(
    `has the hash that Python computes${hasPython ? '' : ` (skipped: no ${python})`}`,
    async () => {
      const { path, content } = await manifestOf(SOURCES);
      const theirs = JSON.parse(execFileSync(python, ['-c', PYTHON, path], { encoding: 'utf8' }));
      expect(theirs).toEqual({ hash: content.hash, sorted: true, paths: content.paths });
    },
  );

  it('of no files is one too', async () => {
    const { text } = await manifestOf({ '../out/other.txt': '' });
    expect(JSON.parse(text)).toEqual({
      paths: {},
      version: '1.0',
      hash: hashOf('[]'),
      sizes: {},
    });
  });

  it('may have another name, and be elsewhere', async () => {
    const storage = memoryStorage();
    const site = hashedSite(
      { 'a.png': 'x' },
      { hashed: { manifestName: 'conf/names.json', manifestStorage: storage } },
    );
    await site.collect();
    const body = await storage.read('conf/names.json');
    expect(parseManifest(Buffer.from(body ?? []), '').paths.size).toBe(1);
    await site.files.ready();
    expect(site.files.staticUrl('a.png')).toBe(`/static/a.${hashOf('x')}.png`);
    const beside = hashedSite(
      { 'a.png': 'x' },
      { hashed: { manifestStorage: () => fileSystemStorage({ root: `${site.root}/conf` }) } },
    );
    await beside.collect({ clear: true });
    expect(readFileSync(`${site.root}/conf/staticfiles.json`, 'utf8')).toContain('"a.png"');
    expect((await beside.collect({ clear: true })).deleted).toEqual([]);
  });

  it('is not lost to a source of its name', async () => {
    const site = hashedSite({ 'staticfiles.json': '{"own": true}', 'a.png': 'x' });
    const error: unknown = await site.collect().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_STATICFILES_COLLECT' });
    expect(String(error)).toContain(`${site.root}/src/staticfiles.json`);
    expect(String(error)).toContain('manifest');
    const other = hashedSite(
      { 'staticfiles.json': '{"own": true}' },
      { hashed: { manifestName: 'names.json' } },
    );
    await other.collect();
    expect(readFileSync(other.out('staticfiles.json'), 'utf8')).toBe('{"own": true}');
    const beside = hashedSite(
      { 'staticfiles.json': '{"own": true}' },
      { hashed: { manifestStorage: memoryStorage() } },
    );
    await beside.collect();
    expect(readFileSync(beside.out('staticfiles.json'), 'utf8')).toBe('{"own": true}');
  });

  it('shares its folder with no source', async () => {
    const site = hashedSite({ '.staticfiles/lock': '{}', 'a.png': 'x' }, { ignore: [] });
    await expect(site.collect()).rejects.toThrow(
      `'.staticfiles/lock' (${site.root}/src/.staticfiles/lock) lies where collecting keeps`,
    );
  });

  it('of a deploy is archived by the time of it', () => {
    const time = Date.UTC(2026, 1, 3, 4, 5, 6, 78);
    expect(publishedAt('.staticfiles/manifests/20260203T040506.078Z-0123456789ab.json')).toBe(time);
    expect(publishedAt('.staticfiles/manifests/what')).toBe(0);
  });
});
