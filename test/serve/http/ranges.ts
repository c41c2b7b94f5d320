import { part, parts, unsatisfiable, whole } from './answers.js';
import { group, type HttpCase } from './case.js';
import type { Coding } from './site.js';
import type { Known } from './target.js';

const PICTURE = 'app/picture.png'; // 300,000 bytes
const FILM = 'app/film.mp4'; // 3,000,000 bytes

type Row = readonly [range: string, HttpCase['answer'], name?: string];

/** One range (RFC 9110, 14.1.2 and 14.2). */
const ONE: readonly Row[] = [
  ['bytes=0-0', part(0, 0)],
  ['bytes=0-99', part(0, 99)],
  ['bytes=100-199', part(100, 199)],
  ['bytes=0-', part(0, -1)],
  ['bytes=100-', part(100, -1)],
  ['bytes=299999-', part(-1, -1)],
  ['bytes=299999-299999', part(-1, -1)],
  ['bytes=0-299999', part(0, -1)],
  ['bytes=0-300000', part(0, -1)],
  ['bytes=299990-300010', part(-10, -1)],
  ['bytes=1-999999999999', part(1, -1)],
  ['bytes=1-99999999999999999999999999', part(1, -1)],
  ['bytes=0000000000000000000000001-0000000000000000000000009', part(1, 9)],
  ['bytes=-1', part(-1, -1)],
  ['bytes=-100', part(-100, -1)],
  ['bytes=-300000', part(0, -1)],
  ['bytes=-300001', part(0, -1)],
  ['bytes=-99999999999999999999999999', part(0, -1)],
  ['BYTES=0-9', part(0, 9)], // names of units have no case (RFC 9110, 14.1)
  ['bytes=0-9,', part(0, 9)], // a list may have empty members (5.6.1.2)
  ['bytes=, ,0-9', part(0, 9)],
  ['bytes=65530-65545', part(65_530, 65_545), FILM],
  ['bytes=1000000-2999999', part(1_000_000, -1), FILM],
  ['bytes=-2000000', part(-2_000_000, -1), FILM],
  ['bytes=2999999-', part(-1, -1), FILM],
  ['bytes=0-0', part(0, 0), 'app/small.css'],
  ['bytes=-2', part(1, 2), 'app/small.css'],
  ['bytes=2-2', part(2, 2), 'app/small.css'],
  ['bytes=0-99', part(0, 99), 'app/site.css'],
];

/** What lies beyond the end (RFC 9110, 14.4 and 15.5.17). */
const BEYOND: readonly Row[] = [
  ['bytes=300000-', unsatisfiable],
  ['bytes=300000-300001', unsatisfiable],
  ['bytes=99999999999999999999999999-', unsatisfiable],
  ['bytes=-0', unsatisfiable],
  ['bytes=-00', unsatisfiable],
  ['bytes=300000-,-0', unsatisfiable],
  ['bytes=3-', unsatisfiable, 'app/small.css'],
  ['bytes=0-', unsatisfiable, 'app/empty.txt'],
  ['bytes=0-0', unsatisfiable, 'app/empty.txt'],
  ['bytes=3000000-', unsatisfiable, FILM],
];

/** What is no range, is as if it were not there (RFC 9110, 14.2). */
const NONE: readonly Row[] = [
  'bytes=5-2',
  'bytes=0-9,5-2',
  'bytes=',
  'bytes=,',
  'bytes=-',
  'bytes=--1',
  'bytes=0--1',
  'bytes=+0-1',
  'bytes=0-1x',
  'bytes=x-1',
  'bytes=0x0-0x9',
  'bytes=0-1e2',
  'bytes=0.0-1.0',
  'bytes=1',
  'bytes=0-1-2',
  'bytes=0 - 9',
  'bytes=0-9;10-19',
  'bytes 0-9',
  'bytes:0-9',
  'bytes',
  '0-9',
  '=0-9',
  'items=0-9',
  'xbytes=0-9',
  '',
  'garbage',
].map((range) => [range, whole()]);

/** Several ranges: the parts in the order asked for, but the whole where they are no saving. */
const SEVERAL: readonly Row[] = [
  ['bytes=0-9,20-29', parts([0, 9], [20, 29])],
  ['bytes=20-29,0-9', parts([20, 29], [0, 9])],
  ['bytes=0-0, 100-199 ,\t-1', parts([0, 0], [100, 199], [-1, -1])],
  ['bytes=0-9,5-14', parts([0, 9], [5, 14])],
  ['bytes=0-9,10-19', parts([0, 9], [10, 19])],
  ['bytes=0-9,,-10', parts([0, 9], [-10, -1])],
  ['bytes=0-9,300000-,-10', parts([0, 9], [-10, -1])],
  ['bytes=0-9,300000-', part(0, 9)],
  ['bytes=-0,0-9', part(0, 9)],
  ['bytes=0-149999,150000-299999', parts([0, 149_999], [150_000, -1])],
  ['bytes=0-149999,150000-', parts([0, 149_999], [150_000, -1])],
  ['bytes=0-,0-', whole()],
  ['bytes=0-149999,149999-299999', whole()],
  ['bytes=0-,-1', whole()],
  ['bytes=1000000-1999999,0-999999', parts([1_000_000, 1_999_999], [0, 999_999]), FILM],
  ['bytes=0-0,2-2', parts([0, 0], [2, 2]), 'app/small.css'],
];

const many = (count: number) => `bytes=${Array.from({ length: count }, (_, at) => `${at}-${at}`)}`;

const MANY: HttpCase[] = [
  {
    id: '32 ranges',
    says: '32 ranges are 32 parts',
    name: PICTURE,
    headers: { Range: many(32) },
    answer: parts(...Array.from({ length: 32 }, (_, at) => [at, at] as const)),
  },
  ...[33, 1000].map((count) => ({
    id: `${count} ranges`,
    says: `${count} ranges are answered with the whole`,
    name: PICTURE,
    headers: { Range: many(count) },
    answer: whole(),
  })),
];

/** Ranges are of the form that is selected (RFC 9110, 14.2). */
const compressed: HttpCase[] = (['br', 'gzip'] as const).flatMap((selects: Coding) =>
  (
    [
      ['bytes=0-9', part(0, 9)],
      ['bytes=-10', part(-10, -1)],
      ['bytes=5-', part(5, -1)],
      ['bytes=0-1,-2', parts([0, 1], [-2, -1])],
      ['bytes=200000-', unsatisfiable],
    ] as const
  ).map(([range, answer]) => ({
    id: `${selects} ${range}`,
    says: `${range} is of the ${selects} form, where there is one`,
    name: 'app/main.js',
    selects,
    headers: { Range: range, 'Accept-Encoding': selects },
    answer,
  })),
);

/** RFC 9110, 13.1.5: equal in every byte, or the whole. */
const IF_RANGE: readonly (readonly [string, (known: Known) => string, HttpCase['answer']])[] = [
  ['the same tag', ({ etag }) => etag, part(0, 9)],
  ['another tag', () => '"other"', whole()],
  ['a weak tag', ({ etag }) => `W/${etag}`, whole()],
  ['two tags', ({ etag }) => `${etag}, "other"`, whole()],
  ['a star', () => '*', whole()],
  ['the same date', ({ lastModified }) => lastModified, part(0, 9)],
  ['a later date', () => 'Fri, 01 Jan 2100 00:00:00 GMT', whole()],
  ['an earlier date', () => 'Thu, 01 Jan 1970 00:00:00 GMT', whole()],
  ['no date', () => 'yesterday', whole()],
  ['nothing', () => '', whole()],
];

const ifRange: HttpCase[] = [
  ...IF_RANGE.map(([what, value, answer]) => ({
    id: `If-Range ${what}`,
    says: `If-Range with ${what}`,
    name: PICTURE,
    headers: (known: Known) => ({ Range: 'bytes=0-9', 'If-Range': value(known) }),
    answer,
  })),
  {
    id: 'If-Range before 416',
    says: 'a range of another file is not unsatisfiable',
    name: PICTURE,
    headers: { Range: 'bytes=300000-', 'If-Range': '"other"' },
    answer: whole(),
  },
  {
    id: 'If-Range and 416',
    says: 'a range of this file may be unsatisfiable',
    name: PICTURE,
    headers: ({ etag }) => ({ Range: 'bytes=300000-', 'If-Range': etag }),
    answer: unsatisfiable,
  },
  {
    id: 'If-Range alone',
    says: 'If-Range without Range is nothing',
    name: PICTURE,
    headers: { 'If-Range': '"other"' },
    answer: whole(),
  },
];

const head: HttpCase[] = ['bytes=0-9', 'bytes=300000-', 'bytes=0-1,3-4'].map((range) => ({
  id: `HEAD ${range}`,
  says: `HEAD knows no ranges: ${range}`,
  method: 'HEAD',
  name: PICTURE,
  headers: { Range: range },
  answer: whole(),
}));

function casesOf(rows: readonly Row[], is: string): HttpCase[] {
  return rows.map(([range, answer, name = PICTURE]) => ({
    id: name === PICTURE ? range : `${range} ${name}`,
    says: `${JSON.stringify(range)} of ${name} ${is}`,
    name,
    headers: { Range: range },
    answer,
  }));
}

export const RANGES: readonly HttpCase[] = group('range', [
  ...casesOf(ONE, 'is a part'),
  ...casesOf(BEYOND, 'is 416'),
  ...casesOf(NONE, 'is no range'),
  ...casesOf(SEVERAL, 'is several ranges'),
  ...MANY,
  ...compressed,
  ...ifRange,
  ...head,
]);
