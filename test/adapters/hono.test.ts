import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { compress } from 'hono/compress';
import { cors } from 'hono/cors';
import { html } from 'hono/html';
import { logger } from 'hono/logger';
import { secureHeaders } from 'hono/secure-headers';
import { expect, it, onTestFinished } from 'vitest';
import { serveStatic } from '../../adapters/hono.js';
import { APPLICATION, describeHttp } from '../contracts/http.js';
import type { HttpServer } from '../listen.js';
import { brokenFiles, get, site } from './site.js';

/** Serves by Hono's own server for Node. */
async function start(app: { fetch: Hono['fetch'] }): Promise<HttpServer> {
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }) as Server;
  if (!server.listening) await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Serves until the test ends, and answers the origin. */
async function listen(app: { fetch: Hono['fetch'] }): Promise<string> {
  const { url, close } = await start(app);
  onTestFinished(close);
  return url;
}

describeHttp('Hono on Node', {
  start: (files) => start(new Hono().use(serveStatic(files)).all('*', (c) => c.text(APPLICATION))),
});

it.each([
  ['from their sources', true],
  ['as they were collected', false],
])('static files are served %s', async (_, debug) => {
  const { files } = await site({}, { debug });
  const app = new Hono().use(serveStatic(files));
  const origin = await listen(app);
  expect(await get(`${origin}/static/app/a.css`)).toEqual([200, 'a{}']);
  expect(await get(`${origin}/static/none.css`)).toEqual([404, 'Not found\n']);
  const post = await fetch(`${origin}/static/app/a.css`, { method: 'POST' });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  const head = await fetch(`${origin}/static/app/a.css`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '3']);
  expect(await (await app.request('/static/app/a.css')).text()).toBe('a{}');
});

it('pages have URLs by the variables of the context', async () => {
  const { files } = await site();
  const app = new Hono()
    .use(serveStatic(files))
    .get('/', (c) =>
      c.html(html`<link href="${c.var.static('app/a.css?a&b')}">${c.get('media')('me.txt')}`),
    );
  expect(await get(`${await listen(app)}/`)).toEqual([
    200,
    '<link href="/static/app/a.css?a&amp;b">/media/me.txt',
  ]);
});

it('handlers know its variables, chained to it or not', async () => {
  const { files } = await site();
  const app = new Hono();
  app.use(serveStatic(files));
  app.get('/', (c) => c.text(`${c.var.static('app/a.css')} ${c.var.media('me.txt')}`));
  expect(await (await app.request('/')).text()).toBe('/static/app/a.css /media/me.txt');
});

it('what runs in front of it works: a log, headers, access', async () => {
  const { files } = await site();
  const lines: string[] = [];
  const app = new Hono();
  app.use(logger((line) => lines.push(line)));
  app.use(cors({ origin: 'https://example.com' }), secureHeaders());
  app.use('/static/secret/*', basicAuth({ username: 'me', password: 'pass' }));
  app.use(serveStatic(files));
  const origin = await listen(app);
  const { headers } = await fetch(`${origin}/static/app/a.css`);
  expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
  expect(headers.get('access-control-allow-origin')).toBe('*');
  expect((await get(`${origin}/static/secret/x`))[0]).toBe(401);
  expect(lines.join('\n')).toMatch(/--> GET \/static\/app\/a\.css \S*200/);
});

it('a middleware that compresses may wrap it', async () => {
  const { files } = await site();
  const app = new Hono().use(compress({ threshold: 0 })).use(serveStatic(files));
  const response = await fetch(`${await listen(app)}/static/app/a.css`);
  expect(response.headers.get('content-encoding')).toBe('gzip');
  expect(await response.text()).toBe('a{}');
});

it('it works below a path, and as a handler of a route', async () => {
  const { files } = await site({}, { staticUrl: '/sub/static/' });
  const below = new Hono().use(serveStatic(files)).get('/page', (c) => c.text(c.req.path));
  const origin = await listen(new Hono().route('/sub', below));
  expect(await get(`${origin}/sub/static/app/a.css`)).toEqual([200, 'a{}']);
  expect(await get(`${origin}/sub/page`)).toEqual([200, '/sub/page']);

  const routed = new Hono().all('/sub/static/*', serveStatic(files));
  expect(await get(`${await listen(routed)}/sub/static/app/a.css`)).toEqual([200, 'a{}']);
});

it("the application's 404 stays its own", async () => {
  const { files } = await site({}, { fallthrough: true });
  const app = new Hono().use(serveStatic(files));
  app.notFound((c) => c.text(`no ${c.req.path}`, 404));
  const origin = await listen(app);
  expect(await get(`${origin}/nowhere`)).toEqual([404, 'no /nowhere']);
  expect(await get(`${origin}/static/none.css`)).toEqual([404, 'no /static/none.css']);
});

it("a fault reaches the application's error handler", async () => {
  const app = new Hono().use(serveStatic(brokenFiles()));
  app.onError((error, c) => c.text(`handled: ${error.message}`, 503));
  expect(await get(`${await listen(app)}/static/x`)).toEqual([
    503,
    'handled: the finder is broken',
  ]);
});

it('refuses what are no files', () => {
  expect(() => serveStatic(undefined as never)).toThrow(
    'serveStatic(files) takes what createStaticFiles() answers.',
  );
});
