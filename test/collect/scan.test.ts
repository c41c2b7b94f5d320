import { describe, expect, it } from 'vitest';
import { languageOf } from '../../src/collect/language.js';
import { scanFile } from '../../src/collect/scan.js';

describe('scanFile()', () => {
  it.each([
    ['a.css', true],
    ['a.CSS', true],
    ['a/b.min.js', true],
    ['a.mjs', true],
    ['a.json', false],
    ['a.css.map', false],
    ['css', false],
    ['.css', false],
    ['a.css/b', false],
    ['a.constructor', false],
  ])('looks into %s: %s', (name, expected) => {
    expect(languageOf(name) !== undefined).toBe(expected);
    const { references } = scanFile(name, Buffer.from('url(b.png)'));
    expect(references.length === 1).toBe(expected && /css$/i.test(name));
  });

  it('answers the byte at which a hash goes, and line and column from 1', () => {
    const text = '/* ü⊗😀 */url(a.png)\r\nü{b:url(c.d.png?x.y)}\n\n url(e%2ef) url(g)';
    const bytes = Buffer.from(text);
    const { references } = scanFile('a.css', bytes);
    expect(references.map(([value, , line, column, kind]) => [value, line, column, kind])).toEqual([
      ['a.png', 1, 15, 'url'],
      ['c.d.png?x.y', 2, 9, 'url'],
      ['e%2ef', 4, 6, 'url'],
      ['g', 4, 17, 'url'],
    ]);
    expect(references.map(([, at]) => bytes.subarray(0, at).toString().slice(-5))).toEqual(
      ['url(a', '(c.d', 'url(e', 'url(g'].map((text) => text.padStart(5, 'l')),
    );
    expect(references.map(([, at]) => bytes.subarray(at, at + 4).toString())).toEqual([
      '.png',
      '.png',
      '%2ef',
      ')',
    ]);
  });

  it.each([
    [Buffer.from('\xfc', 'latin1'), 'it is not UTF-8'],
    [Buffer.from('\xff\xfea\0', 'latin1'), 'it is not UTF-8'],
    [
      Buffer.from("import './a.js';\n\n  import {"),
      /^it does not parse: .* \(line \d, column \d+\)$/,
    ],
  ])('says why a file has no references: %#', (bytes, fault) => {
    expect(scanFile('a.js', bytes)).toEqual({
      references: [],
      fault: typeof fault === 'string' ? fault : expect.stringMatching(fault),
    });
  });
});
