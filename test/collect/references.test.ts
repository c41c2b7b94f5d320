import { describe, expect, it } from 'vitest';
import { referenceResolver } from '../../src/collect/references.js';

type Row = readonly [staticUrl: string, value: string, target: string];

/** From `css/a.css`; a name, or where else it leads. */
const ROWS: readonly Row[] = [
  ['/static/', 'b.png', 'css/b.png'],
  ['/static/', './b.png', 'css/b.png'],
  ['/static/', '../b.png', 'b.png'],
  ['/static/', 'x/../y/./b.png', 'css/y/b.png'],
  ['/static/', 'b.png?v=../c', 'css/b.png'],
  ['/static/', 'b.png#/c', 'css/b.png'],
  ['/static/', ' b.png\n', 'css/b.png'],
  ['/static/', 'b%20c.png', 'css/b c.png'],
  ['/static/', '%C3%BC.png', 'css/ü.png'],
  ['/static/', '%3F%23.png?x#y', 'css/?#.png'],
  ['/static/', '%2e%2E/b.png', 'b.png'],
  ['/static/', 'x\\b.png', 'css/x/b.png'],
  ['/static/', '.b', 'css/.b'],
  ['/static/', '..b/c', 'css/..b/c'],
  ['/static/', 'b.', 'css/b.'],
  ['/static/', '%zz.png', '%zz.png'],
  ['/static/', '/static/b.png', 'b.png'],
  ['/static/', '/static/x/../b.png', 'b.png'],
  ['/static/', '/other/../static/b.png', 'b.png'],
  ['/static/', '../../static/b.png', 'b.png'],
  ['/static/', '../../b.png', 'outside'],
  ['/static/', '../../../../b.png', 'outside'],
  ['/static/', '/b.png', 'elsewhere'],
  ['/static/', '/static', 'elsewhere'],
  ['/static/', '/staticb.png', 'elsewhere'],
  ['/static/', '/static/../b.png', 'elsewhere'],
  ['/static/', '', 'elsewhere'],
  ['/static/', '#b', 'elsewhere'],
  ['/static/', '?b', 'elsewhere'],
  ['/static/', '.', 'elsewhere'],
  ['/static/', '..', 'elsewhere'],
  ['/static/', './', 'elsewhere'],
  ['/static/', 'x/', 'elsewhere'],
  ['/static/', 'x/.', 'elsewhere'],
  ['/static/', '/static/', 'elsewhere'],
  ['/static/', '//static/b.png', 'elsewhere'],
  ['/static/', '\\\\host\\b.png', 'elsewhere'],
  ['/static/', 'http://localhost/static/b.png', 'elsewhere'],
  ['/static/', 'DATA:,b.png', 'elsewhere'],
  ['/static/', 'about:blank', 'elsewhere'],
  ['https://c.test/s/', 'https://c.test/s/b.png', 'b.png'],
  ['https://c.test/s/', 'https://c.test/s/x/../b.png', 'b.png'],
  ['https://c.test/s/', '/s/b.png', 'b.png'],
  ['https://c.test/s/', 'b.png', 'css/b.png'],
  ['https://c.test/s/', '../../b.png', 'outside'],
  ['https://c.test/s/', 'https://c.test/b.png', 'elsewhere'],
  ['https://c.test/s/', 'https://c.test/s', 'elsewhere'],
  ['https://c.test/s/', 'https://d.test/s/b.png', 'elsewhere'],
  ['//c.test/s/', '//c.test/s/b.png', 'b.png'],
  ['//c.test/s/', '//d.test/s/b.png', 'elsewhere'],
  ['https://c.test/', '/b.png', 'b.png'],
  ['https://c.test/', '../../../b.png', 'b.png'],
  ['/', '/b.png', 'b.png'],
  ['/%C3%BC/', '/ü/b.png', 'b.png'],
  ['/%C3%BC/', '/%c3%bc/b.png', 'b.png'],
];

describe('a reference', () => {
  it.each(ROWS)('under %s, %j leads to %s', (staticUrl, value, expected) => {
    const target = referenceResolver(staticUrl)(value, 'url', 'css/a.css');
    expect(typeof target === 'string' ? target : target.name).toBe(expected);
  });

  it.each([
    ['./b.js', 'js/b.js'],
    ['../b.js', 'b.js'],
    ['/static/b.js', 'b.js'],
    ['https://c.test/static/b.js', 'elsewhere'],
    ['b.js', 'elsewhere'],
    ['.b.js', 'elsewhere'],
    ['@scope/b.js', 'elsewhere'],
    ['#b', 'elsewhere'],
  ])('of an import, %j leads to %s', (value, expected) => {
    const target = referenceResolver('/static/')(value, 'specifier', 'js/a.js');
    expect(typeof target === 'string' ? target : target.name).toBe(expected);
    const absolute = referenceResolver('https://c.test/static/');
    expect(absolute('https://c.test/static/b.js', 'specifier', 'js/a.js')).toEqual({
      name: 'b.js',
    });
  });

  it('leads where a browser would go', () => {
    const base = 'http://host.test/static/';
    for (const [staticUrl, value, expected] of ROWS) {
      if (staticUrl !== '/static/' || /outside|elsewhere|%zz/.test(expected)) continue;
      const { pathname, origin } = new URL(value, `${base}css/a.css`);
      expect(decodeURIComponent(origin + pathname), value).toBe(base + expected);
    }
  });
});
