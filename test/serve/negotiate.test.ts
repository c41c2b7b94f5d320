import { describe, expect, test } from 'vitest';
import { negotiate } from '../../src/serve/negotiate.js';

const WHOLE = { size: 1000 };
const BR = { coding: 'br', size: 200 } as const;
const GZIP = { coding: 'gzip', size: 250 } as const;
const ZSTD = { coding: 'zstd', size: 230 } as const;
const ALL = [WHOLE, GZIP, BR, ZSTD];

describe('Accept-Encoding', () => {
  test.each<[string | undefined, object | undefined]>([
    [undefined, WHOLE],
    ['', WHOLE],
    ['gzip', GZIP],
    ['br', BR],
    ['gzip, deflate, br, zstd', BR],
    ['gzip, deflate', GZIP],
    ['deflate', WHOLE],
    ['GZIP', GZIP],
    ['x-gzip', GZIP],
    ['x-br', WHOLE],
    // weights
    ['br;q=0.5, gzip;q=0.8', GZIP],
    ['br;q=0, gzip', GZIP],
    ['br;q=0.0, gzip;q=0.000, zstd', ZSTD],
    ['gzip;q=0.001', GZIP],
    ['gzip ; q=0.5 , br ; Q=0.4', GZIP],
    ['identity, gzip;q=0.9', WHOLE],
    ['identity;q=0.5, gzip;q=0.9', GZIP],
    ['identity, br', BR],
    // the star speaks of what is not named
    ['*', BR],
    ['br;q=0, *', ZSTD],
    ['gzip, *;q=0.5', GZIP],
    ['gzip;q=0.5, *;q=0.1', GZIP],
    ['identity, *;q=0.5', WHOLE],
    ['*;q=0', undefined],
    ['*;q=0, identity', WHOLE],
    ['*;q=0, gzip', GZIP],
    ['identity;q=1, *;q=0', WHOLE],
    // the file as it is may be refused
    ['identity;q=0', undefined],
    ['identity;q=0, deflate', undefined],
    ['identity;q=0, gzip', GZIP],
    ['gzip;q=0, br;q=0, zstd;q=0', WHOLE],
    // what is no weight says nothing
    ['gzip;q=high', WHOLE],
    ['gzip;q=', WHOLE],
    ['gzip;level=9', WHOLE],
    [',,gzip,,', GZIP],
    ['gzip;q=2', WHOLE],
    ['"br"', WHOLE],
    ['constructor, __proto__', WHOLE],
  ])('%s', (header, expected) => {
    expect(negotiate(header, ALL)).toBe(expected);
  });

  test('among equals the smallest wins, whatever the order', () => {
    const smallGzip = { coding: 'gzip', size: 10 } as const;
    expect(negotiate('br, gzip', [WHOLE, BR, smallGzip])).toBe(smallGzip);
    expect(negotiate('gzip, br', [WHOLE, smallGzip, BR])).toBe(smallGzip);
  });

  test('of what is not there nothing is chosen', () => {
    expect(negotiate('br', [WHOLE])).toBe(WHOLE);
    expect(negotiate('br, identity;q=0', [WHOLE])).toBeUndefined();
  });

  test('a header of 16 kB is read in no time, and many do not pile up', () => {
    const long = Array.from({ length: 4000 }, (_, index) => `a${index % 10}`).join(',');
    for (let index = 0; index < 200; index++) negotiate(`${long},b${index}`, ALL);
    expect(negotiate(`${long},br`, ALL)).toBe(BR);
  }, 5000);
});
