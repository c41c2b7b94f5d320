import { describe, expect, test } from 'vitest';
import { isRangeCurrent, weigh } from '../../src/serve/conditional.js';

const CHANGED = 'Sun, 06 Nov 1994 08:49:37 GMT';
const BEFORE = 'Sun, 06 Nov 1994 08:49:36 GMT';
const AFTER = 'Sun, 06 Nov 1994 08:49:38 GMT';
const current = { etag: '"a"', lastModifiedMs: Date.parse(CHANGED) };

describe('the conditions of a request', () => {
  test.each<[Record<string, string | string[]>, string]>([
    [{}, 'send'],
    [{ 'if-none-match': '"a"' }, 'not-modified'],
    [{ 'if-none-match': 'W/"a"' }, 'not-modified'],
    [{ 'if-none-match': '"b", "a"' }, 'not-modified'],
    [{ 'if-none-match': '"b",W/"a" , "c"' }, 'not-modified'],
    [{ 'if-none-match': ['"b"', '"a"'] }, 'not-modified'],
    [{ 'if-none-match': '*' }, 'not-modified'],
    [{ 'if-none-match': ' * ' }, 'not-modified'],
    [{ 'if-none-match': '"b"' }, 'send'],
    [{ 'if-none-match': '"a, b"' }, 'send'],
    [{ 'if-none-match': 'a' }, 'send'],
    [{ 'if-none-match': '' }, 'send'],
    [{ 'if-none-match': '"aa"' }, 'send'],
    [{ 'if-modified-since': CHANGED }, 'not-modified'],
    [{ 'if-modified-since': AFTER }, 'not-modified'],
    [{ 'if-modified-since': BEFORE }, 'send'],
    [{ 'if-modified-since': 'Sunday, 06-Nov-94 08:49:37 GMT' }, 'not-modified'],
    [{ 'if-modified-since': 'Sun Nov  6 08:49:37 1994' }, 'not-modified'],
    [{ 'if-modified-since': 'Sun Nov  6 08:49:36 1994' }, 'send'],
    [{ 'if-modified-since': '2030-01-01' }, 'send'],
    [{ 'if-modified-since': 'tomorrow' }, 'send'],
    [{ 'if-modified-since': '9999999999' }, 'send'],
    // the tag decides alone
    [{ 'if-none-match': '"b"', 'if-modified-since': AFTER }, 'send'],
    [{ 'if-none-match': '"a"', 'if-modified-since': BEFORE }, 'not-modified'],
    [{ 'if-match': '"a"' }, 'send'],
    [{ 'if-match': '*' }, 'send'],
    [{ 'if-match': '"b", "a"' }, 'send'],
    [{ 'if-match': '"b"' }, 'failed'],
    [{ 'if-match': 'W/"a"' }, 'failed'],
    [{ 'if-unmodified-since': CHANGED }, 'send'],
    [{ 'if-unmodified-since': BEFORE }, 'failed'],
    [{ 'if-unmodified-since': 'yesterday' }, 'send'],
    [{ 'if-match': '"a"', 'if-unmodified-since': BEFORE }, 'send'],
    [{ 'if-match': '"a"', 'if-none-match': '"a"' }, 'not-modified'],
    [{ 'if-match': '"b"', 'if-none-match': '"a"' }, 'failed'],
  ])('%j: %s', (headers, verdict) => {
    expect(weigh(headers, current)).toBe(verdict);
  });
});

describe('If-Range', () => {
  test.each<[string | undefined, boolean]>([
    [undefined, true],
    ['"a"', true],
    ['W/"a"', false],
    ['"b"', false],
    ['"a", "b"', false],
    [CHANGED, true],
    [AFTER, false],
    [BEFORE, false],
    ['a', false],
    ['', false],
  ])('%s: %s', (condition, isCurrent) => {
    const headers = condition === undefined ? {} : { 'if-range': condition };
    expect(isRangeCurrent(headers, current)).toBe(isCurrent);
  });
});
