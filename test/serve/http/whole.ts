import { sep } from 'node:path';
import { application, notAllowed, rootFile, whole } from './answers.js';
import { group, type HttpCase } from './case.js';
import { ROOT_FILES } from './site.js';

const BYTES = 'application/octet-stream';
const SCRIPT = 'text/javascript; charset=utf-8';
const TEXT = 'text/plain; charset=utf-8';

const TYPES: readonly (readonly [name: string, type: string])[] = [
  ['app/site.css', 'text/css; charset=utf-8'],
  ['app/links.css', 'text/css; charset=utf-8'],
  ['app/small.css', 'text/css; charset=utf-8'],
  ['app/main.js', SCRIPT],
  ['app/module.mjs', SCRIPT],
  ['app/page.html', 'text/html; charset=utf-8'],
  ['app/data.json', 'application/json; charset=utf-8'],
  ['app/icon.svg', 'image/svg+xml; charset=utf-8'],
  ['app/module.wasm', 'application/wasm'],
  ['app/font.woff2', 'font/woff2'],
  ['app/photo.jpg', 'image/jpeg'],
  ['app/picture.png', 'image/png'],
  ['app/film.mp4', 'video/mp4'],
  ['app/empty.txt', TEXT],
  ['app/noextension', BYTES],
  ['app/what.unheardof', BYTES],
  ['app/ü b.js', SCRIPT],
  ['app/⊗ 日本 😀.txt', TEXT],
  ['app/100%.txt', TEXT],
  ['app/%2e%2e%2fsite.css', 'text/css; charset=utf-8'],
  ["app/+&=;,!$()'~.txt", TEXT],
  ['app/a#b.txt', TEXT],
  ...(sep === '/'
    ? ([
        ['app/a?b.txt', TEXT],
        ['app/a*:b.txt', TEXT],
      ] as const)
    : []),
  ['@scope/x.js', SCRIPT],
  ['app/__proto__', BYTES],
  ['constructor', BYTES],
  ['folder/inner/file.txt', TEXT],
];

const types = TYPES.map(([name, type]) => ({
  id: name,
  says: `a GET for ${name} is answered with the file, as ${type}`,
  name,
  answer: whole(type),
}));

const heads = ['app/site.css', 'app/small.css', 'app/empty.txt', 'app/film.mp4'].map((name) => ({
  id: `head ${name}`,
  says: `a HEAD for ${name} is answered as a GET, without a body`,
  method: 'HEAD',
  name,
  answer: whole(),
}));

/** Ways to spell a path that RFC 3986, 6.2.2 takes for the same. */
const spellings: HttpCase[] = [
  ['encoded-letters', '/static/%61pp/%73ite.css', 'app/site.css'],
  ['encoded-dot', '/static/app/site%2Ecss', 'app/site.css'],
  ['lower-case-escapes', '/static/app/%c3%bc%20b.js', 'app/ü b.js'],
  ['bare-at', '/static/@scope/x.js', '@scope/x.js'],
  ['encoded-at', '/static/%40scope/x.js', '@scope/x.js'],
  ['bare-reserved', "/static/app/+&=;,!$()'~.txt", "app/+&=;,!$()'~.txt"],
].map(([id = '', path = '', name = '']) => ({
  id,
  says: `${path} is ${name}`,
  path,
  name,
  answer: whole(),
}));

const queries: HttpCase[] = ['?', '?v=1', '?../../secret.txt', '?a=%00%', '?x=/../&?'].map(
  (query) => ({
    id: `query ${query}`,
    says: `the query ${query} changes nothing`,
    name: 'app/site.css',
    query,
    answer: whole(),
  }),
);

const real: HttpCase = {
  id: 'app/real.css.br',
  says: 'a found file that is named as a compressed form is a file like others',
  name: 'app/real.css.br',
  headers: { 'Accept-Encoding': 'br, gzip' },
  answer: whole(BYTES),
};

const methods: HttpCase[] = ['POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method) => [
  {
    id: `${method} with a body`,
    says: `a ${method} is 405, and its body does not become the next request`,
    method,
    name: 'app/site.css',
    headers: { 'Content-Type': 'text/plain' },
    body: 'GET /secret.txt HTTP/1.1\r\nHost: x\r\n\r\n',
    answer: notAllowed,
  },
]);

const otherMethods: HttpCase[] = [
  {
    id: 'OPTIONS',
    says: 'OPTIONS is 405',
    method: 'OPTIONS',
    name: 'app/site.css',
    answer: notAllowed,
  },
  {
    id: 'POST without a body',
    says: 'a POST without a body is 405',
    method: 'POST',
    name: 'app/site.css',
    headers: { 'Content-Length': '0' },
    answer: notAllowed,
  },
  {
    id: 'POST of chunks',
    says: 'a POST of chunks is 405',
    method: 'POST',
    name: 'app/site.css',
    headers: { 'Content-Length': [], 'Content-Type': 'text/plain', 'Transfer-Encoding': 'chunked' },
    body: '3\r\nabc\r\n0\r\n\r\n',
    answer: notAllowed,
  },
  {
    id: 'POST with conditions',
    says: 'conditions and ranges do not make a POST less of a fault',
    method: 'POST',
    name: 'app/site.css',
    headers: ({ etag }) => ({ 'Content-Length': '0', 'If-None-Match': etag, Range: 'bytes=0-1' }),
    answer: notAllowed,
  },
];

const outside: HttpCase[] = ['/', '/page', '/static', '/staticx/app/site.css', '/app/site.css'].map(
  (path) => ({
    id: path,
    says: `${path} is the application's`,
    path,
    answer: application,
  }),
);

const root: HttpCase[] = (
  [
    ['favicon.ico', 'image/x-icon'],
    ['robots.txt', TEXT],
    ['.well-known/security.txt', TEXT],
  ] as const
).flatMap(([name, type]) =>
  ['GET', 'HEAD'].map((method) => ({
    id: `${method} ${name}`,
    says: `/${name} lies at the site's root: ${method}`,
    method,
    path: `/${name}`,
    answer: rootFile(type, ROOT_FILES[name] ?? ''),
  })),
);

/** Whatever is no file of the root is a page of the application's, and its forms are sent there. */
const pages: HttpCase[] = [
  ['GET', '/none.txt'],
  ['GET', '/.well-known'],
  ['GET', '/.well-known/'],
  ['GET', '/robots.txt/'],
  ['GET', '/ROBOTS.TXT'],
  ['POST', '/page'],
  ['POST', '/robots.txt'],
].map(([method = '', path = '']) => ({
  id: `${method} ${path}`,
  says: `${method} ${path} is the application's`,
  method,
  path,
  ...(method === 'POST' ? { headers: { 'Content-Length': '0' } } : {}),
  answer: application,
}));

export const WHOLE: readonly HttpCase[] = [
  ...group('get', [...types, ...heads, ...spellings, ...queries, real]),
  ...group('method', [...methods, ...otherMethods]),
  ...group('outside', [...outside, ...pages]),
  ...group('root', root),
];
