// node bare.js PORT STATIC_ROOT [express]: the limit in Node, or in Express. Answers constant Buffers
// with constant headers, those that we answer with, and looks at no more than the URL and If-None-Match.
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { CSS, FILM, pathsIn, SCRIPT } from '../site.js';

const [, , port, root, framework] = process.argv;
const paths = pathsIn(root);
const ETAG = '"constant"';
const common = ['Cache-Control', 'public, max-age=315360000, immutable'];
common.push('X-Content-Type-Options', 'nosniff', 'Access-Control-Allow-Origin', '*');
const vary = ['Vary', 'Accept-Encoding'];

function answerWith(name, type, more = [], suffix = '') {
  const path = join(root, paths[name] + suffix);
  const body = readFileSync(path);
  const headers = ['Content-Type', type, ...common, 'Content-Length', String(body.length)];
  const date = statSync(path).mtime.toUTCString();
  headers.push('ETag', ETAG, 'Last-Modified', date, 'Accept-Ranges', 'bytes', ...more);
  return { url: `/static/${paths[name]}`, headers, body };
}

const css = answerWith(CSS, 'text/css; charset=utf-8', vary);
const more = ['Content-Encoding', 'br', ...vary];
const script = answerWith(SCRIPT, 'text/javascript; charset=utf-8', more, '.br');
const film = answerWith(FILM, 'video/mp4');
const notModified = [...common, 'ETag', ETAG, ...vary];

function answer(request, response) {
  const { url } = request;
  if (request.headers['if-none-match'] === ETAG) {
    response.writeHead(304, notModified);
    response.end();
    return;
  }
  const { headers, body } = url === css.url ? css : url === script.url ? script : film;
  response.writeHead(200, headers);
  response.end(body);
}

async function onExpress() {
  const { default: express } = await import('express');
  return express().disable('x-powered-by').use(answer);
}

createServer(framework === 'express' ? await onExpress() : answer).listen(
  Number(port),
  '127.0.0.1',
);
