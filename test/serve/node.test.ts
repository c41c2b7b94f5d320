import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import express from 'express';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Settings } from '../../src/settings.js';
import { createStaticFiles } from '../../src/static-files.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { serve } from '../listen.js';
import { project } from '../project.js';

const SITE = {
  'static/app/a.css': 'a{}',
  'static/app/ü b.js': 'export {};',
  'static/app/empty.txt': '',
  'static/app/x.woff2': 'font',
  'static/app/nothing': 'bytes',
  'uploads/me.html': '<p>me',
  'secret.txt': 'secret',
  'static-other/secret.txt': 'secret',
};

/** The same files, live and collected. */
async function siteOf(mode: 'live' | 'collected', more: Settings = {}): Promise<string> {
  const root = project(SITE);
  const settings = {
    baseDir: root,
    dirs: ['static'],
    staticRoot: 'collected',
    mediaUrl: '/media/',
    mediaRoot: 'uploads',
    ...more,
  };
  await createStaticFiles(settings).collect();
  const files = createStaticFiles({ ...settings, debug: mode === 'live' });
  return serve((request, response) => {
    files.handler(request, response, (error) => {
      response.statusCode = error ? 500 : 299;
      response.end(`next ${error ?? request.url}`);
    });
  });
}

/** Sends the path as it is: fetch() would tidy it first. */
function raw(url: string, path: string): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject).end();
  });
}

describe.each(['live', 'collected'] as const)('the handler, %s', (mode) => {
  it.each([
    ['/static/app/a.css', 'text/css; charset=utf-8', 'a{}'],
    ['/static/app/a.css?v=1', 'text/css; charset=utf-8', 'a{}'],
    ['/static/app/%C3%BC%20b.js', 'text/javascript; charset=utf-8', 'export {};'],
    ['/static/app/empty.txt', 'text/plain; charset=utf-8', ''],
    ['/static/app/x.woff2', 'font/woff2', 'font'],
    ['/static/app/nothing', 'application/octet-stream', 'bytes'],
  ])('answers %s', async (path, type, body) => {
    const response = await fetch((await siteOf(mode)) + path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toBe(
      mode === 'live' ? 'no-cache' : 'public, max-age=60',
    );
    expect(await response.text()).toBe(body);
  });

  it('answers HEAD without a body', async () => {
    const response = await fetch(`${await siteOf(mode)}/static/app/a.css`, { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe('3');
    expect(await response.text()).toBe('');
  });

  it('answers 304 to a client that has the file', async () => {
    const url = `${await siteOf(mode)}/static/app/a.css`;
    const { headers } = await fetch(url);
    const etag = headers.get('etag') ?? '';
    const modified = headers.get('last-modified') ?? '';
    const status = async (sent: Record<string, string>) =>
      (await fetch(url, { headers: sent })).status;
    expect(await status({ 'If-None-Match': etag })).toBe(304);
    expect(await status({ 'If-None-Match': `"x", W/${etag}` })).toBe(304);
    expect(await status({ 'If-None-Match': '*' })).toBe(304);
    expect(await status({ 'If-Modified-Since': modified })).toBe(304);
    expect(await status({ 'If-None-Match': '"x"', 'If-Modified-Since': modified })).toBe(200);
    expect(await status({ 'If-Modified-Since': new Date(1).toUTCString() })).toBe(200);
    expect(await status({ 'If-Modified-Since': 'yesterday' })).toBe(200);
  });

  it.each([
    '/static/',
    '/static/app',
    '/static/app/',
    '/static/none.css',
    '/static/../secret.txt',
    '/static/..%2fsecret.txt',
    '/static/%2e%2e/secret.txt',
    '/static/..%5csecret.txt',
    '/static/%2e%2e%2fstatic-other/secret.txt',
    '/static/app/a.css%00',
    '/static/%',
    '/static/%ff',
    `/static/${'x'.repeat(300)}`,
    '/static/app/a.css/x',
  ])('has nothing at %s', async (path) => {
    const { status, body } = await raw(await siteOf(mode), path);
    expect({ status, body }).toEqual({ status: 404, body: 'Not found\n' });
  });

  it('lets no cache keep a miss', async () => {
    const response = await fetch(`${await siteOf(mode)}/static/none.css`);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('takes GET and HEAD only', async () => {
    const response = await fetch(`${await siteOf(mode)}/static/app/a.css`, { method: 'POST' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  it('leaves what is not below the base URL to the application', async () => {
    const url = await siteOf(mode);
    for (const path of ['/', '/static', '/staticx/a.css', '/page?x=1']) {
      expect(await raw(url, path)).toEqual({ status: 299, body: `next ${path}` });
    }
  });

  it('leaves misses to the application for fallthrough, and at the root of the site', async () => {
    const through = await siteOf(mode, { fallthrough: true });
    expect(await raw(through, '/static/none.css')).toEqual({
      status: 299,
      body: 'next /static/none.css',
    });
    const atRoot = await siteOf(mode, { staticUrl: '/' });
    expect((await raw(atRoot, '/app/a.css')).body).toBe('a{}');
    expect((await raw(atRoot, '/page')).body).toBe('next /page');
    expect((await fetch(`${atRoot}/page`, { method: 'POST' })).status).toBe(299);
  });

  it('answers below the path of an absolute base URL', async () => {
    const url = await siteOf(mode, { staticUrl: 'https://cdn.example.com/s/' });
    expect((await raw(url, '/s/app/a.css')).body).toBe('a{}');
  });

  it('serves media in development only', async () => {
    const { status, body } = await raw(await siteOf(mode), '/media/me.html');
    expect({ status, body }).toEqual(
      mode === 'live'
        ? { status: 200, body: '<p>me' }
        : { status: 299, body: 'next /media/me.html' },
    );
  });

  it('works as a middleware of Express, mounted below a path too', async () => {
    const root = project(SITE);
    const files = createStaticFiles({ baseDir: root, dirs: ['static'], staticUrl: '/sub/static/' });
    const app = express();
    app.use('/sub', files.handler);
    app.use((_request, response) => void response.send('next'));
    const url = await serve(app);
    expect((await raw(url, '/sub/static/app/a.css')).body).toBe('a{}');
    expect((await raw(url, '/static/app/a.css')).body).toBe('next');
  });

  it('answers 404 by itself where there is no next()', async () => {
    const files = createStaticFiles({ baseDir: project(SITE), dirs: ['static'] });
    const url = await serve((request, response) => files.handler(request, response));
    expect((await raw(url, '/other')).status).toBe(404);
  });
});

describe('next()', () => {
  it('is called once, whatever it throws', async () => {
    const root = project(SITE);
    const files = createStaticFiles({ baseDir: root, dirs: ['static'] });
    let calls = 0;
    const url = await serve((request, response) => {
      try {
        files.handler(request, response, () => {
          calls++;
          throw new Error('the page is broken');
        });
      } catch (error) {
        response.writeHead(500).end(String(error));
      }
    });
    expect((await raw(url, '/static/app/a.css')).status).toBe(200); // loads what the handler needs
    expect(await raw(url, '/page')).toEqual({ status: 500, body: 'Error: the page is broken' });
    expect(calls).toBe(1);
  });

  it('hears of a fault', async () => {
    const root = project(SITE);
    const broken = { find: () => 'no array', list: () => [] };
    const files = createStaticFiles({ baseDir: root, finders: [broken as never] });
    const url = await serve((request, response) => {
      files.handler(request, response, (error) => response.writeHead(500).end(String(error)));
    });
    expect((await raw(url, '/static/x')).body).toContain('find() must answer an array');
  });

  it('tells of a fault at its start where there is no next(), and starts when it is mended', async () => {
    const root = project({ 'collected/a.css': 'a{}', rootFiles: 'no folder' });
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => told.mockRestore());
    const settings = { baseDir: root, staticRoot: 'collected', debug: false };
    const files = createStaticFiles({ ...settings, rootFiles: 'rootFiles' });
    const url = await serve(files.handler);
    expect((await raw(url, '/static/a.css')).status).toBe(500);
    expect(String(told.mock.calls)).toContain('ENOTDIR');
    rmSync(`${root}/rootFiles`);
    expect(await raw(url, '/static/a.css')).toEqual({ status: 200, body: 'a{}' });
  });

  it.each([
    ['of a file', { storage: hashedStorage() }, 'There is no manifest'],
    ['of everything', { rootFiles: 'secret.txt' }, 'ENOTDIR'],
  ])('that takes no error does not hide a fault %s', async (_, settings, message) => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => said.mockRestore());
    const files = createStaticFiles({
      baseDir: project(SITE),
      staticRoot: 'collected',
      debug: false,
      ...settings,
    });
    const page = (response: ServerResponse) => () => void response.end('the page');
    const url = await serve((request, response) => {
      files.handler(request, response, page(response));
    });
    expect((await raw(url, '/static/app/a.css')).status).toBe(500);
    expect(String(said.mock.lastCall)).toContain(message);
    const bare = await serve((request, response) => files.handler(request, response));
    expect((await raw(bare, '/static/app/a.css')).status).toBe(500);
  });
});

describe('the live handler', () => {
  it('follows links in source folders, and answers with what is there now', async () => {
    const root = project(SITE);
    symlinkSync(`${root}/secret.txt`, `${root}/static/linked.txt`);
    const files = createStaticFiles({ baseDir: root, dirs: ['static'], debug: true });
    const url = await serve(files.handler);
    expect((await raw(url, '/static/linked.txt')).body).toBe('secret');
    const before = (await fetch(`${url}/static/app/a.css`)).headers.get('etag');
    writeFileSync(`${root}/static/app/a.css`, 'b{}');
    expect((await fetch(`${url}/static/app/a.css`)).headers.get('etag')).not.toBe(before);
  });
});

describe('the collected handler', () => {
  it('keeps the manifest and the state of collecting to itself', async () => {
    const root = project({
      'c/.staticfiles/state': 'x',
      'c/.staticfiles-partial-1': 'x',
      'c/a.css': 'a{}',
    });
    const files = createStaticFiles({ baseDir: root, staticRoot: 'c', debug: false });
    const url = await serve(files.handler);
    expect((await raw(url, '/static/a.css')).status).toBe(200);
    expect((await raw(url, '/static/.staticfiles/state')).status).toBe(404);
    expect((await raw(url, '/static/.staticfiles-partial-1')).status).toBe(404);
  });

  it('tells what is wrong with its settings, and answers 500, where nobody else would', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => told.mockRestore());
    const url = await serve(createStaticFiles({ debug: false }).handler);
    expect((await raw(url, '/static/a.css')).status).toBe(500);
    expect(String(told.mock.calls[0]?.[0])).toContain('set staticRoot in the settings');
  });
});

it.each([
  ['a file', '/static/app/a.css'],
  ['a large file', '/static/app/large.bin'],
  ['a miss', '/static/app/none.css'],
])('leaves an answer alone that has been given before it found %s', async (_what, path) => {
  const root = project({ ...SITE, 'static/app/large.bin': Buffer.alloc(200_000) });
  const files = createStaticFiles({
    baseDir: root,
    dirs: ['static'],
    debug: true,
    fallthrough: true,
  });
  const url = await serve((request, response) => {
    files.handler(request, response);
    response.writeHead(503, { 'Content-Length': '9' });
    response.write('it ');
    setTimeout(() => response.end('lasted'), 100);
  });
  const response = await fetch(url + path);
  expect([response.status, await response.text()]).toEqual([503, 'it lasted']);
});

describe('behind a middleware that has put its own functions into the response', () => {
  /** What on-headers 1.0 does: it takes a list of headers for a list of pairs. */
  function onHeaders(response: ServerResponse, call: () => void): void {
    const writeHead = response.writeHead.bind(response);
    response.writeHead = (status: number, headers?: unknown) => {
      if (Array.isArray(headers)) {
        for (const [name, value] of headers) response.setHeader(name, value);
      } else if (headers) {
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      }
      call();
      return writeHead(status);
    };
  }

  it.each(['live', 'collected'] as const)('the headers are the same, %s', async (mode) => {
    const settings = { dirs: [join(project(SITE), 'static')], staticRoot: project({}) };
    await createStaticFiles(settings).collect();
    const files = createStaticFiles({ ...settings, debug: mode === 'live' });
    const url = await serve((request, response) => {
      if (request.url?.endsWith('?wrapped')) {
        onHeaders(response, () => response.setHeader('X-Seen', String(response.getHeader('ETag'))));
      }
      files.handler(request, response);
    });
    for (const path of ['/static/app/a.css', '/static/app/a.css', '/static/nothing']) {
      const plain = await fetch(url + path);
      const wrapped = await fetch(`${url}${path}?wrapped`);
      const headers = Object.fromEntries(wrapped.headers);
      expect(headers['x-seen']).toBe(String(plain.headers.get('etag') ?? undefined));
      delete headers['x-seen'];
      expect(wrapped.status).toBe(plain.status);
      expect({ ...headers, date: '' }).toEqual({ ...Object.fromEntries(plain.headers), date: '' });
      expect(await wrapped.text()).toBe(await plain.text());
    }
  });
});
