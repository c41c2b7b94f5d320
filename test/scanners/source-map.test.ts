import { describe, expect, test } from 'vitest';
import { matchSourceMapComment } from '../../src/scanners/source-map.js';

describe('ECMA-426, "MatchSourceMapURL"', () => {
  test.each([
    ['# sourceMappingURL=x.js.map', 'x.js.map', 19],
    ['@ sourceMappingURL=x.js.map', 'x.js.map', 19],
    ['#sourceMappingURL=x.map', 'x.map', 18],
    ['# \t\n sourceMappingURL=x.map \n ', 'x.map', 22],
    ['# sourceMappingURL=a.map?b=c', 'a.map?b=c', 19],
    ['# sourceMappingURL=%20"\'`', '%20"\'`', 19],
    ['# sourceMappingURL=data:application/json,%7B%7D', 'data:application/json,%7B%7D', 19],
    ['# sourceMappingURL=', '', 19],
  ])('the comment %j names %j at %i', (inner, value, offset) => {
    expect(matchSourceMapComment(inner)).toEqual({ value, offset });
  });

  test.each([
    [' # sourceMappingURL=x.map'],
    ['! sourceMappingURL=x.map'],
    ['# sourceMappingURL=x y.map'],
    ['# sourceMappingURL =x.map'],
    ['# sourcemappingurl=x.map'],
    ['# sourceURL=x.js'],
    ['# see sourceMappingURL=x.map'],
    [''],
  ])('the comment %j names none', (inner) => {
    expect(matchSourceMapComment(inner)).toBeUndefined();
  });

  test('a comment of any length is read', () => {
    const url = `data:,${'a'.repeat(10_000_000)}`;
    expect(matchSourceMapComment(`# sourceMappingURL=${url}`)?.value).toBe(url);
    expect(matchSourceMapComment(`#${' '.repeat(10_000_000)}sourceMappingURL`)).toBeUndefined();
  });
});
