import { describe, expect, test } from 'vitest';
import { durationText, milliseconds } from '../src/durations.js';

describe('milliseconds', () => {
  test.each([
    [0, 0],
    [1.5, 1500],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['20ms', 20],
    ['0.02s', 20],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['1w', 604_800_000],
    ['5 m', 300_000],
    ['0s', 0],
  ])('%j are %d', (duration, expected) => {
    expect(milliseconds(duration)).toBe(expected);
  });

  test.each([
    ...[-1, Number.NaN, true, null, undefined, {}, ['30s'], '', '30', 's', '-5s', '1e3s', '.5s'],
    ...['5M', '1y', '5m ', ' 5m', '1h30m', '1.s', 'constructor', '1constructor'],
  ])('%j is no duration', (duration) => {
    expect(milliseconds(duration)).toBeUndefined();
  });
});

test.each([
  [4, '0.004 s'],
  [50, '0.05 s'],
  [1234, '1.2 s'],
  [30_000, '30 s'],
  [105_000, '105 s'],
  [120_000, '2 min'],
  [5_400_000, '90 min'],
  [7_200_000, '2 h'],
  [86_400_000, '24 h'],
])('%d milliseconds are %j', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
