import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../src/settings.js';
import { createStaticFiles } from '../../src/static-files.js';
import { fileSystemStorage } from '../../src/storages/filesystem.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { add } from '../project.js';
import {
  type HashedSite,
  hashedSite,
  hashOf,
  inBoth,
  settle,
  storedIn,
  tree,
} from './hashed-site.js';

const X = 'x';
const H = hashOf(X);

/** A leaf, a chain, a cycle, a text without references, and one whose reference leads nowhere. */
const SOURCES = {
  'img/a.png': X,
  'css/a.css': '@import "b.css";',
  'css/b.css': '@import "c.css";',
  'css/c.css': 'url(../img/a.png)',
  'js/a.js': "import './b.js'",
  'js/b.js': "import './a.js'",
  'js/alone.js': 'alone()',
  'gone.css': 'url(gone.png)',
  'dist/done.abc.js': 'done()',
};
const SETTINGS: Settings = { prehashed: 'dist/*', compress: ['gzip'] };

/** Inode and time of each collected file, but for what runs keep for themselves. */
function marks(folder: string): Record<string, string> {
  return Object.fromEntries(
    Object.keys(tree(folder)).map((name) => {
      const { ino, mtimeNs } = lstatSync(join(folder, name), { bigint: true });
      return [name, `${ino} ${mtimeNs}`];
    }),
  );
}

/** The names whose files are others than before. */
function touched(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys(after)
    .filter((name) => before[name] !== after[name])
    .sort();
}

describe('collecting again', () => {
  it('touches nothing where nothing has changed, the manifest neither', async () => {
    const site = hashedSite(SOURCES, SETTINGS);
    await settle();
    await site.collect();
    const before = marks(site.out(''));
    const state = statSync(site.out('.staticfiles/state.json')).ino;
    const events = new Set<string>();
    const report = await site.collect({ onEvent: ({ type }) => events.add(type) });
    expect(report).toMatchObject({ copied: [], compressed: { made: 0 } });
    expect(report.unmodified).toHaveLength(Object.keys(SOURCES).length);
    expect([...events].sort()).toEqual(['hash', 'skip', 'warning']);
    expect(marks(site.out(''))).toEqual(before);
    expect(statSync(site.out('.staticfiles/state.json')).ino).toBe(state);
    expect(readdirSync(site.out('.staticfiles')).sort()).toEqual(
      ['manifests', 'state.json', 'variants.json'].sort(),
    );
  });

  it('touches nothing either where the sources were written just now, and so are read again', async () => {
    const site = hashedSite({}, SETTINGS);
    add(join(site.root, 'src'), SOURCES);
    await site.collect();
    const before = marks(site.out(''));
    await site.collect();
    expect(touched(before, marks(site.out('')))).toEqual([]);
  });

  it('touches nothing in a fresh checkout of the same bytes', async () => {
    const site = hashedSite({ ...SOURCES, 'film.mp4': new Uint8Array(2_000_000) }, SETTINGS);
    await site.collect();
    const before = marks(site.out(''));
    cpSync(join(site.root, 'src'), join(site.root, 'fresh'), { recursive: true });
    rmSync(join(site.root, 'src'), { recursive: true });
    renameSync(join(site.root, 'fresh'), join(site.root, 'src'));
    expect((await site.collect()).copied).toEqual([]);
    expect(touched(before, marks(site.out('')))).toEqual([]);
  });

  it('changes every name behind a change, and nothing else', async () => {
    const site = hashedSite(SOURCES, SETTINGS);
    await site.collect();
    const [before, marked] = [site.names(), marks(site.out(''))];
    site.put({ 'img/a.png': 'y' });
    const { copied } = await site.collect();
    expect(copied.toSorted()).toEqual(['css/a.css', 'css/b.css', 'css/c.css', 'img/a.png']);
    const after = site.names();
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(
      copied.toSorted(),
    );
    expect(touched(marked, marks(site.out('')))).toEqual(
      ['staticfiles.json', 'img/a.png', ...copied.map((name) => after[name])].sort(),
    );
    const c = `url(../img/a.${hashOf('y')}.png)`;
    expect(site.text('css/c.css')).toBe(c);
    expect(site.text('css/b.css')).toBe(`@import "c.${hashOf(c)}.css";`);
  });

  it('carries a change of a cycle, and of what is behind it, through it', async () => {
    const css = (...names: string[]) => names.map((name) => `@import "${name}";`).join('');
    const site = hashedSite({
      'a.css': css('b.css'),
      'b.css': css('a.css', 'tail.css'),
      'tail.css': 'url(p.png)',
      'p.png': X,
      'top.css': css('a.css'),
      'aside.css': 'aside{}',
    });
    await site.collect();
    for (const change of [{ 'p.png': 'y' }, { 'a.css': `${css('b.css')}/**/` }]) {
      const before = site.names();
      site.put(change);
      await site.collect();
      const after = site.names();
      const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
      const expected = ['a.css', 'b.css', 'top.css'];
      expect(changed).toEqual(
        'p.png' in change ? ['a.css', 'b.css', 'p.png', 'tail.css', 'top.css'] : expected,
      );
    }
    // The ring is opened and closed again.
    site.put({ 'b.css': css('tail.css') });
    await site.collect();
    const open = site.names();
    expect(hashOf(readFileSync(site.out(open['b.css'] ?? '')))).toBe(open['b.css']?.split('.')[1]);
    expect(site.text('a.css')).toBe(`@import "${open['b.css']}";/**/`);
    site.put({ 'b.css': css('a.css', 'tail.css') });
    await site.collect();
    const [a, b] = [site.names()['a.css'], site.names()['b.css']];
    expect(a?.split('.')[1]).toBe(b?.split('.')[1]);
    expect(site.text('top.css')).toBe(`@import "${a}";`);
  });

  it.each<[string, (path: string) => void]>([
    ['older and of the same size', (path) => rewrite(path, 'y', 1_000_000_000)],
    [
      'of the same time, and another size',
      (path) => rewrite(path, 'yy', statSync(path).mtimeMs / 1e3),
    ],
    [
      'of the same size and time, by another file',
      (path) => {
        const { mtimeMs } = statSync(path);
        rewrite(`${path}.new`, 'y', mtimeMs / 1e3);
        renameSync(`${path}.new`, path);
      },
    ],
    [
      'by nanoseconds only',
      (path) => {
        const { mtimeMs } = statSync(path);
        rewrite(path, 'y', mtimeMs / 1e3 + 0.000_002);
      },
    ],
  ])('sees that a source is another one: %s', async (_, change) => {
    const site = hashedSite({ 'a.png': X, 'b.png': X });
    await site.collect();
    change(join(site.root, 'src/a.png'));
    expect((await site.collect()).copied).toEqual(['a.png']);
    expect(readFileSync(site.out('a.png'), 'latin1')).toMatch(/^y+$/);
    expect(site.text('a.png')).toMatch(/^y+$/);
  });

  it('sees changes that come right after one another', async () => {
    const site = hashedSite({});
    const source = join(site.root, 'src/a.css');
    mkdirSync(dirname(source));
    for (let round = 10; round < 30; round++) {
      writeFileSync(source, `/* ${round} */`);
      await site.collect();
      expect(site.text('a.css')).toBe(`/* ${round} */`);
      expect(readFileSync(site.out('a.css'), 'utf8')).toBe(`/* ${round} */`);
    }
  });

  const { 'gone.css': _, ...WHOLE } = SOURCES;
  const damages: [string, (path: string) => void][] = [
    ['deleted', (path) => rmSync(path)],
    ['truncated', (path) => writeFileSync(path, '')],
    ['overwritten', (path) => writeFileSync(path, 'z'.repeat(statSync(path).size))],
    [
      'a folder',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ];
  it.each(damages)('heals every output that is %s', async (what, damage) => {
    const site = hashedSite(WHOLE, { prehashed: 'dist/*' });
    await site.collect();
    const sound = tree(site.out(''));
    for (const name of Object.keys(sound)) {
      if (name === 'staticfiles.json') continue;
      damage(site.out(name));
      const { copied } = await site.collect({ clear: what === 'a folder' });
      expect(tree(site.out('')), name).toEqual(sound);
      expect(copied.length, name).toBeGreaterThan(0);
    }
    if (what === 'a folder') return;
    damage(site.out('staticfiles.json'));
    await site.collect({ clear: what !== 'deleted' });
    expect(tree(site.out('')), 'staticfiles.json').toEqual(sound);
  });

  it.each<[string, (text: string) => string]>([
    ['empty', () => ''],
    ['no JSON', () => 'x\n'],
    ['other JSON', () => '{}\n[]\nnull\n[[]]\n[null]\n'],
    ['empty rows', () => '[["a.css"],["gone.css","",null],[]]'],
    ['cut off', (text) => text.slice(0, text.length / 2)],
    ['cut off at its end', (text) => text.slice(0, -3)],
    ['without its first line', (text) => text.slice(text.indexOf('\n') + 1)],
    ['without some lines', (text) => lines(text, (rows) => rows.filter((_, at) => at % 3 !== 1))],
    [
      'in another order',
      (text) => lines(text, ([first = '', ...rows]) => [first, ...rows.reverse()]),
    ],
    ['with every line twice', (text) => lines(text, (rows) => rows.flatMap((row) => [row, row]))],
    ['of names only', (text) => lines(text, (rows) => rows.map((row) => row.replace(/,.*/, ']')))],
    ['of other types', (text) => text.replace(/,"[^"]*"/g, ',5')],
    ['of another version', (text) => text.replace(/\d/, '999')],
  ])('does not mind what it remembers to be damaged: %s', async (_, damage) => {
    const site = hashedSite(SOURCES, SETTINGS);
    await site.collect();
    const sound = tree(site.out(''));
    for (const file of ['state.json', 'variants.json']) {
      const path = site.out(`.staticfiles/${file}`);
      writeFileSync(path, damage(readFileSync(path, 'utf8')));
    }
    site.put({ 'img/a.png': X });
    await site.collect();
    expect(tree(site.out(''))).toEqual(sound);
    expect(await site.collect()).toMatchObject({ copied: [], compressed: { made: 0 } });
  });

  it.each(['state.json', 'variants.json', ''])('does not need .staticfiles/%s', async (file) => {
    const site = hashedSite(SOURCES, SETTINGS);
    await site.collect();
    const sound = tree(site.out(''));
    rmSync(site.out(`.staticfiles/${file}`), { recursive: true });
    site.put({ 'img/a.png': 'y' });
    await site.collect();
    site.put({ 'img/a.png': X });
    await site.collect({ clear: true });
    expect(tree(site.out(''))).toEqual(sound);
  });

  it('sends elsewhere only what is not there', async () => {
    const storage = memoryStorage();
    const site = hashedSite(SOURCES, { prehashed: 'dist/*', hashed: { over: storage } });
    expect((await site.collect()).copied).toHaveLength(Object.keys(SOURCES).length);
    const times = async () => {
      const found: Record<string, number | undefined> = {};
      for await (const name of storage.list()) found[name] = (await storage.stat(name))?.mtimeMs;
      return found;
    };
    const before = await times();
    expect(await site.collect()).toMatchObject({ copied: [], destination: undefined });
    expect(await times()).toEqual(before);
    site.put({ 'img/a.png': 'y' });
    expect((await site.collect()).copied.toSorted()).toEqual([
      'css/a.css',
      'css/b.css',
      'css/c.css',
      'img/a.png',
    ]);
    await site.files.refresh();
    expect(site.files.staticUrl('img/a.png')).toBe(`/static/img/a.${hashOf('y')}.png`);
    await site.collect({ clear: true });
    const cold = hashedSite({ ...SOURCES, 'img/a.png': 'y' }, { prehashed: 'dist/*' });
    await cold.collect();
    expect(inBoth(await storedIn(storage))).toEqual(inBoth(tree(cold.out(''))));
  });

  it.each<[object, string, string]>([
    [{}, '644', '700'],
    [{ fileMode: 0o640, directoryMode: 0o2755 }, '640', '2755'],
  ])(
    'gives files and folders their permissions, whatever the umask: %j',
    async (modes, file, folder) => {
      const before = process.umask(0o077);
      try {
        const sources = { ...SOURCES, 'film.mp4': new Uint8Array(2_000_000) };
        const hashed = { over: fileSystemStorage(modes) };
        const site = hashedSite(sources, { ...SETTINGS, hashed });
        for (const name of Object.keys(sources)) chmodSync(join(site.root, 'src', name), 0o600);
        await site.collect();
        const modeOf = (name: string) => (statSync(site.out(name)).mode & 0o7777).toString(8);
        for (const name of Object.keys(tree(site.out('')))) expect(modeOf(name), name).toBe(file);
        for (const name of ['img', 'css', 'dist']) expect(modeOf(name), name).toBe(folder);
      } finally {
        process.umask(before);
      }
    },
  );

  it('knows a file whose source is another one of the same name now', async () => {
    const site = hashedSite(
      { 'a.css': 'url(b.png)', '../second/b.png': X, '../second/a.css': 'second{}' },
      { dirs: ['src', 'second'] },
    );
    await site.collect();
    expect(site.text('a.css')).toBe(`url(b.${H}.png)`);
    site.drop('a.css');
    await site.collect();
    expect(site.text('a.css')).toBe('second{}');
  });
});

function rewrite(path: string, text: string, time: number): void {
  writeFileSync(path, text);
  utimesSync(path, time, time);
}

function lines(text: string, change: (rows: string[]) => string[]): string {
  return change(text.split('\n')).join('\n');
}

describe('what was found by trying to break it', () => {
  const withPrehashed = ({ root }: HashedSite) =>
    createStaticFiles({
      baseDir: root,
      dirs: ['src'],
      staticRoot: 'out',
      debug: false,
      storage: hashedStorage({ keepOriginals: false }),
      prehashed: '*.svg',
    });

  it('sees a package that was unpacked anew, with the same sizes and times', async () => {
    const site = hashedSite(
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`l${i}.js`, 'version="1.0.1"'])),
    );
    const unpacked = new Date(456_789_000_000);
    const unpack = (text: string) => {
      for (let i = 0; i < 20; i++) {
        rmSync(join(site.root, `src/l${i}.js`), { force: true });
        writeFileSync(join(site.root, `src/l${i}.js`), text);
        utimesSync(join(site.root, `src/l${i}.js`), unpacked, unpacked);
      }
    };
    unpack('version="1.0.1"');
    await site.collect();
    await settle();
    unpack('version="1.0.2"');
    expect((await site.collect()).copied).toHaveLength(20);
  });

  it('puts a file that is prehashed now where there was none under its plain name', async () => {
    const site = hashedSite({ 'a.svg': 'A' }, { hashed: { keepOriginals: false } });
    await site.collect();
    await withPrehashed(site).collect();
    expect(readFileSync(site.out('a.svg'), 'utf8')).toBe('A');
  });

  it('puts a file that is prehashed now in the place of a link', async () => {
    const site = hashedSite({ 'a.svg': 'A' });
    await site.collect({ link: true });
    await withPrehashed(site).collect({ link: true });
    expect(lstatSync(site.out('a.svg')).isSymbolicLink()).toBe(false);
  });
});
