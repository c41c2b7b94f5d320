import { notAcceptable, whole } from './answers.js';
import { group, type HttpCase } from './case.js';
import { COMPRESSED, type Coding } from './site.js';
import type { Known } from './target.js';

/** Of `app/site.css`, brotli's form is the smallest, then gzip's. RFC 9110, 12.5.3. */
const SELECTED: readonly (readonly [accepted: string | readonly string[], Coding])[] = [
  ['', 'identity'],
  ['identity', 'identity'],
  ['br', 'br'],
  ['gzip', 'gzip'],
  ['gzip, br', 'br'],
  ['gzip, deflate, br, zstd', 'br'],
  ['br,gzip', 'br'],
  ['br;q=0.5, gzip;q=1', 'gzip'],
  ['br;q=0.5, gzip', 'gzip'],
  ['gzip;q=0.8, br;q=0.801', 'br'],
  ['gzip;q=0.001', 'gzip'],
  ['br;q=0', 'identity'],
  ['br;q=0, gzip', 'gzip'],
  ['br;q=0.0, gzip;q=0.000', 'identity'],
  ['*', 'br'],
  ['*;q=0.1', 'br'],
  ['br;q=0, *', 'gzip'],
  ['gzip;q=0.5, *;q=0.1', 'gzip'],
  ['*;q=0, identity', 'identity'],
  ['*;q=0, identity;q=0.1', 'identity'],
  ['gzip;q=0.5, identity', 'identity'],
  ['gzip;q=0.5, identity;q=0.5', 'gzip'],
  ['gzip;q=0.5, identity;q=0.4', 'gzip'],
  ['gzip;q=1.0, identity; q=0.5, *;q=0', 'gzip'],
  ['BR', 'br'],
  ['GZip;Q=0.5', 'gzip'],
  ['x-gzip', 'gzip'],
  ['gzip ; q=0.8 ,\tbr ; q=0.9', 'br'],
  [', gzip ,, ', 'gzip'],
  ['deflate', 'identity'],
  ['zstd, compress', 'identity'],
  ['vibrant', 'identity'],
  ['brotli, gzipped, x-br', 'identity'],
  [['gzip', 'br'], 'br'],
  [['br;q=0', 'gzip'], 'gzip'],
];

/** Such requests would take no file that is not compressed. */
const SELECTED_ONLY: typeof SELECTED = [
  ['gzip, *;q=0', 'gzip'],
  ['*;q=0, gzip', 'gzip'],
  ['gzip;q=1.0, br;q=0.5, *;q=0', 'gzip'],
  ['identity;q=0, br', 'br'],
  ['identity;q=0, *', 'br'],
];

const selected: HttpCase[] = SELECTED.map(([accepted, selects]) => ({
  id: `${accepted}`,
  says: `${JSON.stringify(accepted)} gets ${selects}, where there is such a form`,
  name: 'app/site.css',
  selects,
  headers: { 'Accept-Encoding': accepted },
  answer: whole('text/css; charset=utf-8'),
}));

const selectedOnly: HttpCase[] = SELECTED_ONLY.map(([accepted, selects]) => ({
  id: `${accepted}`,
  says: `${JSON.stringify(accepted)} gets ${selects}`,
  modes: COMPRESSED,
  name: 'app/site.css',
  selects,
  headers: { 'Accept-Encoding': accepted },
  answer: whole('text/css; charset=utf-8'),
}));

const REFUSING = [
  '*;q=0',
  'identity;q=0',
  'compress, *;q=0',
  'identity;q=0, br;q=0, gzip;q=0',
  'identity;q=0, zstd',
];

const refused: HttpCase[] = REFUSING.map((accepted) => ({
  id: `${accepted}`,
  says: `${accepted} takes none of the forms`,
  modes: COMPRESSED,
  name: 'app/site.css',
  headers: { 'Accept-Encoding': accepted },
  answer: notAcceptable,
}));

/** What has one form does not vary, so that the header cannot matter (RFC 9110, 12.1 and 12.5.5). */
const indifferent: HttpCase[] = REFUSING.map((accepted) => ({
  id: `${accepted} app/small.css`,
  says: `${accepted} says nothing of a file that has one form`,
  name: 'app/small.css',
  headers: { 'Accept-Encoding': accepted },
  answer: whole('text/css; charset=utf-8'),
}));

/** Files that are not worth compressing, and one of which a form is named as another file. */
const others: HttpCase[] = [
  ...['app/small.css', 'app/picture.png', 'app/empty.txt', 'app/film.mp4'].map((name) => ({
    id: `${name}`,
    says: `${name} is there in one form only`,
    name,
    headers: { 'Accept-Encoding': 'br, gzip' },
    answer: whole(),
  })),
  {
    id: 'app/real.css',
    says: 'a found file is never taken for a compressed form of another',
    name: 'app/real.css',
    selects: 'gzip',
    headers: { 'Accept-Encoding': 'br, gzip;q=0.5' },
    answer: whole(),
  },
  {
    id: 'rewritten',
    says: 'a style sheet whose references were rewritten has forms that are so too',
    name: 'app/links.css',
    selects: 'br',
    headers: { 'Accept-Encoding': 'br' },
    answer: whole(),
  },
  ...(['br', 'gzip'] as const).map((selects: Coding) => ({
    id: `HEAD ${selects}`,
    says: `HEAD tells of the ${selects} form as GET does`,
    method: 'HEAD',
    name: 'app/main.js',
    selects,
    headers: { 'Accept-Encoding': selects },
    answer: whole(),
  })),
  ...(['br', 'gzip'] as const).map((selects) => ({
    id: `tag ${selects}`,
    says: `who has the identity form has no ${selects} form`,
    modes: COMPRESSED,
    name: 'app/site.css',
    selects,
    headers: (_: Known, { etag }: Known) => ({ 'Accept-Encoding': selects, 'If-None-Match': etag }),
    answer: whole(),
  })),
];

export const ENCODINGS: readonly HttpCase[] = group('encoding', [
  ...selected,
  ...selectedOnly,
  ...refused,
  ...indifferent,
  ...others,
]);
