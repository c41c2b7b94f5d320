import { readFileSync } from 'node:fs';
import { isAbsolute, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Finder } from '../../src/finder.js';
import { listed, listedNames } from '../finders/attached.js';

/** Lays out files of these names, each with its name as its content, and answers a finder of them. */
type Make = (names: readonly string[]) => Finder;

/** What every finder must do, below a `prefix` that its names have. */
export function finderContract(title: string, make: Make, prefix = ''): void {
  const prefixed = NAMES.map((name) => prefix + name);

  describe(`${title} is a finder:`, () => {
    test.each(prefixed)('it finds %j', (name) => {
      const [found, ...others] = make(NAMES).find(name);
      expect(others).toEqual([]);
      expect(found).toMatchObject({ name });
      expect(isAbsolute(found?.path ?? '')).toBe(true);
      expect(prefix + readFileSync(found?.path ?? '', 'utf8')).toBe(name);
    });

    test('it finds nothing that is not there, and no folders', () => {
      const finder = make(['a/b.css', 'c.css', 'with space.css']);
      const none = ['b.css', 'a', 'a/', 'a/b.css/', 'a/b.css/c', '', 'c.css ', 'a.b.css', 'c.css~'];
      const literal = ['with%20space.css', 'C.css', 'c.css?v=1', 'c.css#x', '__proto__', 'x/y/z'];
      for (const name of [...none, ...literal])
        expect(finder.find(prefix + name), name).toEqual([]);
      expect(finder.find('long'.repeat(5000))).toEqual([]);
    });

    test('it finds what it lists, by the same path, and lists every name once', async () => {
      const finder = make(NAMES);
      const files = await listed(finder);
      expect(files.map(({ name }) => name).sort()).toEqual(prefixed.toSorted());
      for (const { name, path } of files) {
        expect(finder.find(name).map((found) => found.path)).toEqual([path]);
      }
    });

    test('it lists in the same order each time', async () => {
      const [first, second] = [make(NAMES), make(NAMES.toReversed())];
      expect(await listedNames(first)).toEqual(await listedNames(second));
    });

    test('it lists nothing that is ignored, but finds it', async () => {
      const finder = make(['a.css', '.git/config', 'a/.hidden', 'b.css~', 'CVS/x/y', 'sub/a.css']);
      const patterns = ['CVS', '.*', '*~', 'sub/*'];
      expect(await listedNames(finder, patterns)).toEqual([`${prefix}a.css`]);
      expect(finder.find(`${prefix}a/.hidden`)).toHaveLength(1);
      expect(finder.find(`${prefix}sub/a.css`)).toMatchObject([{ inner: 'sub/a.css' }]);
    });

    test('it has nothing where there is nothing', async () => {
      const finder = make([]);
      expect(finder.find(`${prefix}a.css`)).toEqual([]);
      expect(await listedNames(finder)).toEqual([]);
    });

    test('it shows where it looks', () => {
      for (const place of make(NAMES).locations?.() ?? []) expect(isAbsolute(place)).toBe(true);
    });
  });
}

const NAMES = [
  'a.css',
  'a/b.css',
  'a/b/c/d/e/f.css',
  'a-b.css',
  '.hidden/.file',
  'noext',
  'with space.css',
  '100%.css',
  '%2e%2e%2fa.css',
  '@scope/x+y&z=1;(2)!.js',
  "it's.css",
  'ünï/⊗.txt',
  'e\u0301.css',
  '日本語/ファイル.css',
  'عربى/ملف.css',
  'emoji/😀.png',
  '__proto__',
  'constructor/toString',
  ...(sep === '/' ? ['a?b.css', 'a#b.css', 'a:b|c*d<e>"f".css', 'tab\there.css', 'con'] : []),
];
