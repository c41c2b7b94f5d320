import { describe, expect, test } from 'vitest';
import { type ManifestEntry, serialiseManifest } from '../src/collect/publish.js';
import { parseManifest } from '../src/manifest.js';
import { readLines } from '../src/manifest-lines.js';

const NAMES = [
  'a.css',
  'a/b.js',
  'b',
  'with space.js',
  'q"uote\\.txt',
  'ünï/⊗.css',
  'z/😀.png',
  '__proto__',
  'constructor.js',
  '10',
  '9',
  '\u{ffff}.txt',
];

function entries(names: readonly string[], compressed: (name: string) => boolean): ManifestEntry[] {
  return names.map((name, index) => ({
    name,
    hashedName: `${name}.0123456789ab`,
    size: index,
    ...(compressed(name) && { variants: { br: index + 1, gzip: index + 2, zstd: 0 } }),
  }));
}

const textOf = (list: readonly ManifestEntry[]) => Buffer.from(serialiseManifest(list)).toString();

describe('the lines of a manifest as collectstatic writes it', () => {
  test('say what its JSON says', () => {
    const text = textOf(entries(NAMES, (name) => name !== 'b'));
    const json = JSON.parse(text);
    const lines = readLines(text);
    expect(Object.fromEntries(lines?.paths ?? [])).toEqual({ ...json.paths });
    for (const name of NAMES) {
      const expected = Object.hasOwn(json.variants, name) ? json.variants[name] : undefined;
      expect(lines?.variantsOf(name), name).toEqual(expected);
    }
    for (const none of ['', 'a', 'zz', '\u{10ffff}', 'toString', 'a.css.']) {
      expect(lines?.variantsOf(none), none).toBeUndefined();
    }
  });

  test('are found among very many, each', () => {
    const names = Array.from(
      { length: 3000 },
      (_, index) => `f/${index * 7}${'x'.repeat(index % 9)}.js`,
    );
    const lines = readLines(textOf(entries(names, (name) => name.length % 3 > 0)));
    for (const [index, name] of names.entries()) {
      const expected = name.length % 3 > 0 ? { br: index + 1, gzip: index + 2 } : undefined;
      expect(lines?.variantsOf(name)).toEqual(expected);
    }
  });

  test.each([1, 2, 3])('%i with compressed forms', (length) => {
    const names = Array.from({ length }, (_, index) => `${index}.js`);
    const lines = readLines(textOf(entries(names, () => true)));
    expect(names.map((name) => lines?.variantsOf(name))).toEqual(
      names.map((_, index) => ({ br: index + 1, gzip: index + 2 })),
    );
  });

  test('tell of no compressed forms where there are none', () => {
    const lines = readLines(textOf(entries(NAMES, () => false)));
    expect(lines?.paths.size).toBe(NAMES.length);
    expect(lines?.variantsOf('a.css')).toBeUndefined();
  });
});

describe('what is written otherwise is left to JSON', () => {
  const ours = textOf(entries(['a.css', 'b.css'], () => true));
  test.each([
    ['on one line', JSON.stringify(JSON.parse(ours))],
    ['indented', JSON.stringify(JSON.parse(ours), undefined, 2)],
    ['cut off', ours.slice(0, -10)],
    ['in another order', ours.replaceAll('a.css', 'c.css')],
    ['with a name twice', ours.replace('"b.css":', '"a.css":')],
    ['of another version', ours.replace('"1.0"', '"9.0"')],
    ['with a line that is none', ours.replace('"b.css": ', '"b.css" ')],
    ['with another key first', ours.replace('"version"', '"more": 1,\n"version"')],
    ['empty', textOf([])],
  ])('%s', (_, text) => {
    expect(readLines(text)).toBeUndefined();
  });

  test('and reads the same', () => {
    const compact = JSON.stringify(JSON.parse(ours));
    const [one, other] = [ours, compact].map((text) => parseManifest(Buffer.from(text), 'm'));
    expect([...(one?.paths ?? [])]).toEqual([...(other?.paths ?? [])]);
    for (const name of ['a.css', 'b.css', 'c.css', 'toString']) {
      expect(one?.variantsOf(name)).toEqual(other?.variantsOf(name));
    }
    expect(one?.variantsOf('a.css')).toEqual([
      { coding: 'br', size: 1 },
      { coding: 'gzip', size: 2 },
    ]);
  });

  test('a hashed name that can be none is refused in both', () => {
    const bad = ours.replace('"a.css.0123456789ab"', '"../a"');
    expect(() => parseManifest(Buffer.from(bad), 'm')).toThrow('which is no name of a file');
  });
});
