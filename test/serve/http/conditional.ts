import { failed, part, unchanged, whole } from './answers.js';
import { group, type HttpCase } from './case.js';
import type { Known } from './target.js';

const EARLIER = 'Thu, 01 Jan 1970 00:00:00 GMT';
const LATER = 'Fri, 01 Jan 2100 00:00:00 GMT';
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** `Sunday, 13-Sep-20 12:26:40 GMT`: RFC 850's form, which must be read (RFC 9110, 5.6.7). */
function rfc850({ lastModified }: Known): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) \d\d(\d\d) (\S+)/.exec(lastModified) ?? [];
  return `${DAYS[new Date(lastModified).getUTCDay()]}, ${day}-${month}-${year} ${time} GMT`;
}

/** `Sun Sep 13 12:26:40 2020`: asctime's form, the day in two places. */
function asctime({ lastModified }: Known): string {
  const [, week, day, month, year, time] =
    /^(\w+), (\d+) (\w+) (\d+) (\S+)/.exec(lastModified) ?? [];
  return `${week} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`;
}

type Row = readonly [id: string, says: string, headers: HttpCase['headers'], HttpCase['answer']];

/** RFC 9110, 13.1.2. */
const NONE_MATCH: readonly Row[] = [
  ['same', 'the same tag is 304', ({ etag }) => ({ 'If-None-Match': etag }), unchanged],
  ['weak', 'the same tag is 304, weak too', (k) => ({ 'If-None-Match': `W/${k.etag}` }), unchanged],
  ['star', '* is 304', { 'If-None-Match': '*' }, unchanged],
  ['other', 'another tag is 200', { 'If-None-Match': '"other"' }, whole()],
  ['others', 'other tags are 200', { 'If-None-Match': '"a", W/"b","c"' }, whole()],
  ['last', 'the last of a list', (k) => ({ 'If-None-Match': `"a", W/"b", ${k.etag}` }), unchanged],
  ['first', 'the first of a list', (k) => ({ 'If-None-Match': `${k.etag},"a"` }), unchanged],
  [
    'holes',
    'empty members of a list are passed over',
    (k) => ({ 'If-None-Match': `, ,"a" ,\t${k.etag}, ,` }),
    unchanged,
  ],
  ['lines', 'a list in two lines', (k) => ({ 'If-None-Match': ['"a"', k.etag] }), unchanged],
  [
    'comma',
    'a tag may hold commas and backslashes',
    (k) => ({ 'If-None-Match': `"a,b\\", ${k.etag}` }),
    unchanged,
  ],
  [
    'inner',
    'what stands in another tag is none',
    (k) => ({ 'If-None-Match': `"a, ${k.etag.slice(1)}` }),
    whole(),
  ],
  [
    'unquoted',
    'a tag without its quotes is none',
    (k) => ({ 'If-None-Match': k.etag.slice(1, -1) }),
    whole(),
  ],
  ['empty', 'an empty list is 200', { 'If-None-Match': '' }, whole()],
  ['star-in-list', '* in a tag is no star', { 'If-None-Match': '"*"' }, whole()],
  [
    'over-date',
    'another tag is 200, though the date is the same',
    (k) => ({ 'If-None-Match': '"other"', 'If-Modified-Since': k.lastModified }),
    whole(),
  ],
  [
    'over-old-date',
    'the same tag is 304, though the date is older',
    (k) => ({ 'If-None-Match': k.etag, 'If-Modified-Since': EARLIER }),
    unchanged,
  ],
];

/** RFC 9110, 13.1.3. */
const MODIFIED: readonly Row[] = [
  ['same', 'the same date', (k) => ({ 'If-Modified-Since': k.lastModified }), unchanged],
  ['later', 'a later date', { 'If-Modified-Since': LATER }, unchanged],
  ['earlier', 'an earlier date', { 'If-Modified-Since': EARLIER }, whole()],
  ['rfc850', "RFC 850's form", (k) => ({ 'If-Modified-Since': rfc850(k) }), unchanged],
  ['asctime', "asctime's form", (k) => ({ 'If-Modified-Since': asctime(k) }), unchanged],
  ...[
    'yesterday',
    '',
    '2099',
    '4102444800',
    '2099-01-01T00:00:00Z',
    'Fri, 32 Jan 2100 00:00:00 GMT',
  ].map(
    (value): Row => [
      `no date ${value}`,
      `what is no HTTP date is as if it were not there: ${JSON.stringify(value)}`,
      { 'If-Modified-Since': value },
      whole(),
    ],
  ),
];

/** RFC 9110, 13.1.1. */
const MATCH: readonly Row[] = [
  ['same', 'the same tag is 200', ({ etag }) => ({ 'If-Match': etag }), whole()],
  ['star', '* is 200', { 'If-Match': '*' }, whole()],
  ['list', 'one of a list is 200', (k) => ({ 'If-Match': `"a", ${k.etag}` }), whole()],
  ['other', 'another tag is 412', { 'If-Match': '"other"' }, failed],
  ['weak', 'a weak tag is 412', (k) => ({ 'If-Match': `W/${k.etag}` }), failed],
  [
    'then-none-match',
    'after If-Match comes If-None-Match',
    (k) => ({ 'If-Match': k.etag, 'If-None-Match': k.etag }),
    unchanged,
  ],
  [
    'before-none-match',
    'If-Match comes before If-None-Match',
    (k) => ({ 'If-Match': '"other"', 'If-None-Match': k.etag }),
    failed,
  ],
  [
    'over-date',
    'If-Match decides alone over If-Unmodified-Since',
    (k) => ({ 'If-Match': k.etag, 'If-Unmodified-Since': EARLIER }),
    whole(),
  ],
];

/** RFC 9110, 13.1.4. */
const UNMODIFIED: readonly Row[] = [
  ['same', 'the same date', (k) => ({ 'If-Unmodified-Since': k.lastModified }), whole()],
  ['later', 'a later date', { 'If-Unmodified-Since': LATER }, whole()],
  ['earlier', 'an earlier date is 412', { 'If-Unmodified-Since': EARLIER }, failed],
  ['no-date', 'what is no date', { 'If-Unmodified-Since': 'yesterday' }, whole()],
];

/** RFC 9110, 13.2.2: conditions come before ranges. */
const WITH_RANGE: readonly Row[] = [
  [
    'none-match',
    'who has it all gets no part of it',
    (k) => ({ 'If-None-Match': k.etag, Range: 'bytes=0-1' }),
    unchanged,
  ],
  [
    'none-match-other',
    'who has another gets the part',
    { 'If-None-Match': '"other"', Range: 'bytes=0-1' },
    part(0, 1),
  ],
  ['match', 'a part of the same', (k) => ({ 'If-Match': k.etag, Range: 'bytes=0-1' }), part(0, 1)],
  ['match-other', 'no part of another', { 'If-Match': '"other"', Range: 'bytes=0-1' }, failed],
  [
    'none-match-unsatisfiable',
    'who has it all is not told of ranges',
    (k) => ({ 'If-None-Match': k.etag, Range: 'bytes=9999999-' }),
    unchanged,
  ],
];

function casesOf(prefix: string, rows: readonly Row[]): HttpCase[] {
  return rows.map(([id, says, headers = {}, answer]) => ({
    id: `${prefix} ${id}`,
    says: `${prefix}: ${says}`,
    name: 'app/site.css',
    headers,
    answer,
  }));
}

/** A few of them in other ways: by HEAD, for large files, and for compressed forms. */
const others: HttpCase[] = [
  {
    id: 'head 304',
    says: 'a HEAD is 304 as well',
    method: 'HEAD',
    name: 'app/site.css',
    headers: ({ etag }) => ({ 'If-None-Match': etag }),
    answer: unchanged,
  },
  {
    id: 'head 412',
    says: 'a HEAD is 412 as well',
    method: 'HEAD',
    name: 'app/site.css',
    headers: { 'If-Match': '"other"' },
    answer: failed,
  },
  ...['app/empty.txt', 'app/film.mp4', 'app/picture.png', 'app/links.css'].map((name) => ({
    id: `304 ${name}`,
    says: `${name} is 304 to who has it`,
    name,
    headers: ({ etag, lastModified }: Known) => ({
      'If-None-Match': etag,
      'If-Modified-Since': lastModified,
    }),
    answer: unchanged,
  })),
  ...(['br', 'gzip'] as const).map((selects) => ({
    id: `304 ${selects}`,
    says: `a compressed form is 304 to who has it: ${selects}`,
    name: 'app/site.css',
    selects,
    headers: ({ etag }: Known) => ({ 'If-None-Match': etag, 'Accept-Encoding': selects }),
    answer: unchanged,
  })),
];

export const CONDITIONAL: readonly HttpCase[] = group('conditional', [
  ...casesOf('If-None-Match', NONE_MATCH),
  ...casesOf('If-Modified-Since', MODIFIED),
  ...casesOf('If-Match', MATCH),
  ...casesOf('If-Unmodified-Since', UNMODIFIED),
  ...casesOf('Conditions with Range', WITH_RANGE),
  ...others,
]);
