import { describe, expect, it } from 'vitest';
import {
  globPattern,
  HASHED,
  literal,
  namesPatterns,
  patternMatcher,
} from '../../../src/cli/deployment/patterns.js';
import { globMatcher } from '../../../src/globs.js';
import { hashedName } from '../../../src/names.js';
import { pick, randomNumbers } from '../../collect/random.js';

describe('a pattern of a name', () => {
  it('matches it alone, and has nothing in it that ends a text in a configuration', () => {
    for (const name of ['a.css', 'a "b" \'c\' $d {e} %f #g;<h>', 'ü/⊗ \\x', 'a+b(c)[d]*?^|.js']) {
      const pattern = literal(name);
      expect(patternMatcher([pattern])(name)).toBe(true);
      expect(patternMatcher([pattern])(`${name}x`)).toBe(false);
      expect(pattern).not.toMatch(/["'$%#;<>{}\s`]/);
    }
    expect(patternMatcher([literal('a.css')])('axcss')).toBe(false);
  });

  it('is put together with others up to a length that servers read', () => {
    const names = Array.from({ length: 1000 }, (_, at) => `folder/name-${at}.js`);
    const patterns = namesPatterns(names);
    expect(patterns.length).toBeGreaterThan(5);
    expect(Math.max(...patterns.map(({ length }) => length))).toBeLessThan(2100);
    expect(names.filter((name) => !patternMatcher(patterns)(name))).toEqual([]);
    expect(namesPatterns([])).toEqual([]);
  });
});

describe('the pattern of hashed names', () => {
  const isHashed = patternMatcher([HASHED]);

  it.each(['a.css', 'a/b.min.js', 'LICENSE', '.htaccess', 'a.', 'a/..b', 'x.tar.gz', 'ü.css'])(
    'matches what collecting makes of %s, and not the name itself',
    (name) => {
      expect(isHashed(hashedName(name, '5d41402abc4b'))).toBe(true);
      expect(isHashed(name)).toBe(false);
    },
  );

  it.each(['5d41402abc4b.css', 'a.5d41402abc4.css', 'a.5D41402ABC4B.css', 'a.5d41402abc4b/c.css'])(
    'does not match %s',
    (name) => expect(isHashed(name)).toBe(false),
  );
});

/** In characters that globs mean something by, and others. */
const LETTERS = 'a b c . / 1 - _ $ + @ { } , .css .js build assets ü'.split(' ');

describe('a glob', () => {
  it.each([
    '*',
    '**',
    '**/*',
    'a/**',
    '/a/**',
    '**/a',
    '**/a/**',
    'a/**/b',
    'a/**/**/b',
    '*.css',
    'a*',
    '*a*',
    'a?.js',
    '[ab].js',
    '[!a].js',
    '[a-c]*',
    '{a,b}.js',
    '{a,b*}/c',
    '{a,{b,c}}',
    '/a',
    'build/**/*.{js,css}',
    '@a/**',
    'a+b',
    '$*',
    'ü*',
  ])('%s is a pattern that matches the same', (glob) => {
    const pattern = globPattern(glob);
    if (pattern === undefined) throw new Error('It has none.');
    const [matches, byGlob] = [patternMatcher([pattern]), globMatcher([glob])];
    const names = manyNames();
    expect(names.filter((name) => matches(name) !== byGlob(name))).toEqual([]);
    expect(names.some(byGlob)).toBe(true);
  });

  it.each(['(a)', '@(a|b)', '!(a)', '{1..3}', '\\*', 'a*/**', '{a}', '[[:alpha:]]', '**a', './a'])(
    '%s is none, which the manifest makes up for',
    (glob) => expect(globPattern(glob)).toBeUndefined(),
  );
});

function manyNames(): string[] {
  const random = randomNumbers(7);
  const names = Array.from({ length: 20_000 }, () => {
    const letters = Array.from({ length: 1 + random(6) }, () => pick(random, LETTERS));
    const parts = letters.join('').split('/');
    return parts.filter((part) => !/^\.{0,2}$/.test(part)).join('/');
  });
  return names.filter((name) => name !== '');
}
