import { describe, expect, test } from 'vitest';
import { parseRanges } from '../../src/serve/range.js';

const IGNORED = undefined;
const NONE = 'unsatisfiable';

describe('ranges of 1000 bytes', () => {
  test.each<[string, [number, number][] | typeof NONE | typeof IGNORED]>([
    ['bytes=0-0', [[0, 0]]],
    ['bytes=0-499', [[0, 499]]],
    ['bytes=500-', [[500, 999]]],
    ['bytes=-500', [[500, 999]]],
    ['bytes=-1', [[999, 999]]],
    ['bytes=-1000', [[0, 999]]],
    ['bytes=-5000', [[0, 999]]],
    ['bytes=999-', [[999, 999]]],
    ['bytes=0-5000', [[0, 999]]],
    ['bytes=0-99999999999999999999999', [[0, 999]]],
    ['BYTES=1-2', [[1, 2]]],
    ['bytes= 1-2 ', [[1, 2]]],
    [
      'bytes=1-2 ,\t5-6',
      [
        [1, 2],
        [5, 6],
      ],
    ],
    ['bytes=,1-2,,', [[1, 2]]],
    [
      'bytes=900-, 0-0',
      [
        [900, 999],
        [0, 0],
      ],
    ],
    [
      'bytes=0-0,-1',
      [
        [0, 0],
        [999, 999],
      ],
    ],
    // those that are behind the end fall away
    ['bytes=0-0,5000-', [[0, 0]]],
    ['bytes=1000-', NONE],
    ['bytes=1000-2000', NONE],
    ['bytes=-0', NONE],
    ['bytes=5000-,-0', NONE],
    ['bytes=99999999999999999999999-', NONE],
    // no ranges at all
    ['', IGNORED],
    ['bytes', IGNORED],
    ['bytes=', IGNORED],
    ['bytes=,', IGNORED],
    ['bytes=-', IGNORED],
    ['bytes=a-b', IGNORED],
    ['bytes=5-2', IGNORED],
    ['bytes=0-0,5-2', IGNORED],
    ['bytes=1-2-3', IGNORED],
    ['bytes=--1', IGNORED],
    ['bytes=1.5-2', IGNORED],
    ['bytes=+1-2', IGNORED],
    ['bytes=0x1-2', IGNORED],
    ['bytes=1 -2', IGNORED],
    ['bytes 0-5', IGNORED],
    ['items=0-5', IGNORED],
    ['lines=0-5, bytes=0-5', IGNORED],
    // more than there is
    ['bytes=0-,0-', IGNORED],
    ['bytes=0-600,400-999', IGNORED],
  ])('%s', (header, expected) => {
    const ranges = Array.isArray(expected)
      ? expected.map(([start, end]) => ({ start, end }))
      : expected;
    expect(parseRanges(header, 1000)).toEqual(ranges);
  });

  test('32 are taken, 33 are not', () => {
    const list = (length: number) =>
      `bytes=${Array.from({ length }, (_, index) => `${index * 2}-${index * 2}`).join()}`;
    expect(parseRanges(list(32), 1000)).toHaveLength(32);
    expect(parseRanges(list(33), 1000)).toBeUndefined();
  });

  test('a million are refused without being read', () => {
    expect(parseRanges(`bytes=${'0-0,'.repeat(1_000_000)}`, 1000)).toBeUndefined();
  }, 5000);
});

describe('ranges of nothing', () => {
  test.each<[string, typeof NONE | typeof IGNORED]>([
    ['bytes=0-', NONE],
    ['bytes=0-0', NONE],
    ['bytes=-0', NONE],
    ['bytes=-5', IGNORED],
  ])('%s', (header, expected) => {
    expect(parseRanges(header, 0)).toBe(expected);
  });
});
