import { describe, expect, it } from 'vitest';
import { bytesText, timeText } from '../../src/cli/amounts.js';

describe('amounts', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1.0 kB'],
    [12_345, '12.3 kB'],
    [99_949, '99.9 kB'],
    [99_950, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [329_800_000, '330 MB'],
    [5e15, '5000 TB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it.each([
    [0, '0.0 s'],
    [449, '0.4 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [59_499, '59 s'],
    [59_500, '1 min 0 s'],
    [200_000, '3 min 20 s'],
    [3_600_000, '60 min 0 s'],
  ])('%i milliseconds are %s', (milliseconds, text) => {
    expect(timeText(milliseconds)).toBe(text);
  });
});
