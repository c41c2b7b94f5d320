import { miss } from './answers.js';
import { group, type HttpCase } from './case.js';
import type { HttpSite } from './site.js';

/** What is there, though not to be had: [what it is, its path]. */
const KEPT: readonly (readonly [string, string])[] = [
  ['the base', ''],
  ['a folder', 'app/'],
  ['a folder without its slash', 'app'],
  ['a folder of folders', 'folder'],
  ['the manifest', 'staticfiles.json'],
  ['what collecting remembers', '.staticfiles/state.json'],
  ['what it remembers of compressed forms', '.staticfiles/variants.json'],
  ['the folder of what collecting remembers', '.staticfiles/'],
  ['the manifest, spelled otherwise', './staticfiles.json'],
  ['the manifest, encoded', '%73taticfiles%2ejson'],
  ['what collecting remembers, encoded', '%2estaticfiles/state.json'],
  ['what collecting remembers, by a way round', 'app/../.staticfiles/state.json'],
  ['the compressed form of a file', 'app/site.css.br'],
  ['the other compressed form of a file', 'app/site.css.gz'],
];

/** What is not there. */
const NOTHING: readonly string[] = [
  'none.css',
  'app/none.css',
  'none/none.css',
  'app/SITE.css',
  'APP/site.css',
  'app/site.css/',
  'app/site.css/x',
  'app/site.css%20',
  'app/site.css.',
  'app/site.000000000000.css',
  'app/site.css%00',
  'app/site.css%00.js',
  'app/site.css%3Fv=1',
  'app/site.css%23x',
  'app/site.css~',
  'app/%25',
  '%',
  '%2',
  '%zz',
  '%ff',
  'app/%E0%A4%A',
  'app/%ed%a0%80.css',
  'app/site%252Ecss',
  '__proto__',
  'app/constructor',
  'toString',
  'hasOwnProperty',
  `${'x'.repeat(300)}.css`,
  'x/'.repeat(3000),
];

const misses: HttpCase[] = [
  ...KEPT.map(([what, path]) => ({ id: path, says: `${what} is a miss: /static/${path}`, path })),
  ...NOTHING.map((path) => ({
    id: path.slice(0, 40),
    says: `/static/${path.slice(0, 40)} is a miss`,
    path,
  })),
].map((row) => ({ ...row, path: `/static/${row.path}`, answer: miss }));

const variantsOf = (site: HttpSite, suffix: string) =>
  `/static/${site.hashedName('app/site.css')}${suffix}`;

const variants: HttpCase[] = ['.br', '.gz'].map((suffix) => ({
  id: `hashed${suffix}`,
  says: `a hashed name with ${suffix} is a miss`,
  modes: ['hashed'],
  path: (site) => variantsOf(site, suffix),
  answer: miss,
}));

/** Where there is nothing, there is nothing to make conditions of (RFC 9110, 13.2.1). */
const fields: HttpCase[] = (
  [
    ['If-None-Match', '*'],
    ['If-Match', '*'],
    ['If-Match', '"x"'],
    ['If-Modified-Since', 'Fri, 01 Jan 2100 00:00:00 GMT'],
    ['If-Unmodified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['Range', 'bytes=0-1'],
    ['Range', 'bytes=-0'],
    ['Accept-Encoding', 'br'],
    ['Accept-Encoding', '*;q=0'],
  ] as const
).map(([field, value]) => ({
  id: `${field}: ${value}`,
  says: `a miss is one with ${field}: ${value} too`,
  path: '/static/app/none.css',
  headers: { [field]: value },
  answer: miss,
}));

const head: HttpCase = {
  id: 'HEAD',
  says: 'a miss to HEAD has no body',
  method: 'HEAD',
  path: '/static/app/none.css',
  answer: miss,
};

export const MISSES: readonly HttpCase[] = group('miss', [...misses, ...variants, ...fields, head]);
