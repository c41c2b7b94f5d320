import { request as httpRequest } from 'node:http';
import { createRequire } from 'node:module';
import express from 'express';
import Koa from 'koa';
import nunjucks from 'nunjucks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveStatic } from '../../adapters/koa.js';
import { createStaticFiles } from '../../src/index.js';
import { APPLICATION, describeHttp } from '../contracts/http.js';
import { listen, serve } from '../listen.js';
import { project } from '../project.js';
import { brokenFiles, get, site } from './site.js';

/** It has no types of its own, and is used as its successor is. */
const Koa2 = createRequire(import.meta.url)('koa2') as typeof Koa;

describe.each([
  ['Koa 3', Koa],
  ['Koa 2', Koa2],
])('%s', (name, Application) => {
  describeHttp(name, {
    start(files) {
      const app = new Application().use(serveStatic(files));
      app.use((context) => {
        context.body = APPLICATION;
      });
      return listen(app.callback());
    },
  });
});

it.each([
  ['from their sources', true],
  ['as they were collected', false],
])('static files are served %s', async (_, debug) => {
  const { files } = await site({}, { debug });
  const app = new Koa().use(serveStatic(files));
  const origin = await serve(app.callback());
  expect(await get(`${origin}/static/app/a.css`)).toEqual([200, 'a{}']);
  expect(await get(`${origin}/static/none.css`)).toEqual([404, 'Not found\n']);
  const response = await fetch(`${origin}/static/app/a.css`, { method: 'POST' });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

it('templates have URLs by the state, and what was there stays', async () => {
  const { files } = await site();
  const env = new nunjucks.Environment();
  const app = new Koa<{ user: string }>();
  app.use((context, next) => {
    Object.assign(context.state, { user: 'me', media: () => 'own' });
    return next();
  });
  app.use(serveStatic(files));
  app.use((context) => {
    const template = "{{ user }} {{ static('app/a.css') }} {{ media('me.txt') }}";
    context.body = env.renderString(template, context.state);
  });
  expect(await get(`${await serve(app.callback())}/`)).toEqual([200, 'me /static/app/a.css own']);
});

it('a middleware in front sees the status when all is sent, and may set headers before', async () => {
  const { files } = await site();
  const seen: unknown[] = [];
  const app = new Koa();
  app.use(async (context, next) => {
    context.set('X-Before', 'yes');
    const stay = { 'X-After': 'too late' };
    await next();
    context.set(stay);
    seen.push([context.path, context.status, context.res.writableFinished]);
  });
  app.use(serveStatic(files));
  app.use((context) => {
    context.status = 201;
    context.body = 'page';
  });
  const origin = await serve(app.callback());
  const response = await fetch(`${origin}/static/app/a.css`);
  expect(response.headers.get('x-before')).toBe('yes');
  expect(response.headers.has('x-after')).toBe(false);
  const etag = response.headers.get('etag') ?? '';
  await get(`${origin}/static/app/a.css`, { headers: { 'If-None-Match': etag } });
  await get(`${origin}/static/none.css`);
  const page = await fetch(`${origin}/page`);
  expect([page.status, page.headers.get('x-after'), await page.text()]).toEqual([
    201,
    'too late',
    'page',
  ]);
  expect(seen).toEqual([
    ['/static/app/a.css', 200, true],
    ['/static/app/a.css', 304, true],
    ['/static/none.css', 404, true],
    ['/page', 201, false],
  ]);
});

it('a middleware in front may change what is a miss no more', async () => {
  const { files } = await site();
  const app = new Koa();
  app.use(async (context, next) => {
    await next();
    if (context.status === 404) context.body = 'a page of its own';
  });
  app.use(serveStatic(files));
  const origin = await serve(app.callback());
  expect(await get(`${origin}/static/none.css`)).toEqual([404, 'Not found\n']);
  expect((await get(`${origin}/nowhere`))[1]).toBe('a page of its own');
});

it("the application's 404 stays its own", async () => {
  const { files } = await site({}, { fallthrough: true });
  const app = new Koa().use(serveStatic(files));
  const origin = await serve(app.callback());
  expect(await get(`${origin}/nowhere`)).toEqual([404, 'Not Found']);
  expect(await get(`${origin}/static/none.css`)).toEqual([404, 'Not Found']);
});

it('a fault reaches the error handling of Koa', async () => {
  const app = new Koa().use(serveStatic(brokenFiles()));
  const heard: string[] = [];
  app.on('error', (error: Error) => heard.push(error.message));
  const origin = await serve(app.callback());
  expect(await get(`${origin}/static/x`)).toEqual([500, 'Internal Server Error']);
  expect(heard).toEqual(['the finder is broken']);
});

it('it works below a path, as koa-mount mounts it, and in Express', async () => {
  const { files } = await site({}, { staticUrl: '/sub/static/' });
  const middleware = serveStatic(files);
  const app = new Koa();
  app.use(async (context, next) => {
    const { path } = context;
    if (!path.startsWith('/sub/')) return next();
    context.path = path.slice('/sub'.length);
    await middleware(context, async () => {
      context.path = path;
      await next();
    });
    context.path = path;
  });
  app.use((context) => {
    context.body = `page ${context.url}`;
  });
  const origin = await serve(app.callback());
  expect(await get(`${origin}/sub/static/app/a.css`)).toEqual([200, 'a{}']);
  expect(await get(`${origin}/sub/page`)).toEqual([200, 'page /sub/page']);

  const outer = express().use('/sub', new Koa().use(middleware).callback());
  expect(await get(`${await serve(outer)}/sub/static/app/a.css`)).toEqual([200, 'a{}']);
});

it('it goes on when the client has gone away in the middle', async () => {
  const root = project({ 'static/large.bin': Buffer.alloc(64 << 20) });
  const files = createStaticFiles({ baseDir: root, dirs: ['static'], debug: true });
  const app = new Koa();
  const ended = new Promise<boolean>((resolve) => {
    app.use(async (context, next) => {
      await next();
      resolve(context.res.writableFinished);
    });
  });
  app.silent = true; // Koa tells of the broken connection, as of every one
  app.use(serveStatic(files));
  const request = httpRequest(`${await serve(app.callback())}/static/large.bin`);
  onTestFinished(() => void request.destroy());
  request.on('error', () => {}); // it is the test's own doing
  request.on('response', (response) => response.once('data', () => request.destroy()));
  request.end();
  expect(await ended).toBe(false);
});

it('refuses what are no files', () => {
  expect(() => serveStatic(undefined as never)).toThrow(
    'serveStatic(files) takes what createStaticFiles() answers.',
  );
});
