import { createRequire } from 'node:module';
import { createGzip } from 'node:zlib';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { create as expressHandlebars } from 'express-handlebars';
import Handlebars from 'handlebars';
import nunjucks from 'nunjucks';
import { describe, expect, it } from 'vitest';
import { serveStatic } from '../../adapters/express.js';
import { registerStatic as registerHelpers } from '../../adapters/handlebars.js';
import { registerStatic as registerTags } from '../../adapters/nunjucks.js';
import type { StaticFiles } from '../../src/index.js';
import { APPLICATION, describeHttp } from '../contracts/http.js';
import { listen, serve } from '../listen.js';
import { brokenFiles, get, type Site, site } from './site.js';

const require = createRequire(import.meta.url);
const express4 = require('express4') as typeof express;

/** What is used of hbs, which has no types. */
interface Hbs {
  create(handlebars: typeof Handlebars): { __express: Parameters<Express['engine']>[1] };
}
const hbs = require('hbs') as Hbs;

function handlebars(files: StaticFiles | undefined): typeof Handlebars {
  const instance = Handlebars.create();
  if (files !== undefined) registerHelpers(instance, files);
  return instance;
}

type SetUp = (app: Express, site: Site, isRegistered: boolean) => void;

const useNunjucks: SetUp = (app, { files, views }, isRegistered) => {
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(views));
  if (isRegistered) registerTags(env, files);
  env.express(app);
};

const useExpressHandlebars: SetUp = (app, { files }, isRegistered) => {
  const instance = handlebars(isRegistered ? files : undefined);
  const { engine } = expressHandlebars({
    handlebars: instance,
    extname: '.hbs',
    defaultLayout: false,
  });
  app.engine('hbs', engine);
};

const useHbs: SetUp = (app, { files }, isRegistered) => {
  app.engine('hbs', hbs.create(handlebars(isRegistered ? files : undefined)).__express);
};

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('%s', (name, framework) => {
  describeHttp(name, {
    start(files) {
      const app = framework();
      app.use(serveStatic(files));
      app.use((_request, response) => void response.send(APPLICATION));
      return listen(app);
    },
  });
});

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('with %s', (_, framework) => {
  it.each([
    ['from their sources', true],
    ['as they were collected', false],
  ])('static files are served %s', async (_, debug) => {
    const { files } = await site({}, { debug });
    const app = framework();
    app.use(serveStatic(files));
    const origin = await serve(app);
    expect(await get(`${origin}/static/app/a.css`)).toEqual([200, 'a{}']);
    expect(await get(`${origin}/static/none.css`)).toEqual([404, 'Not found\n']);
    const response = await fetch(`${origin}/static/app/a.css`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  describe.each([
    ['Nunjucks', 'page.njk', useNunjucks, "{{ static('app/a.css') }} {{ media('me.txt') }}"],
    [
      'express-handlebars',
      'page.hbs',
      useExpressHandlebars,
      "{{static 'app/a.css'}} {{media 'me.txt'}}",
    ],
    ['hbs', 'page.hbs', useHbs, "{{static 'app/a.css'}} {{media 'me.txt'}}"],
  ])('templates of %s', (_, name, setUp, template) => {
    it.each([
      ['without tags registered', false],
      ['beside registered tags', true],
    ])('have URLs, %s', async (_, isRegistered) => {
      const here = await site({ [name]: template });
      const app = framework();
      app.set('views', here.views);
      app.use(serveStatic(here.files));
      setUp(app, here, isRegistered);
      app.get('/page', (_request, response) => response.render(name));
      const origin = await serve(app);
      expect(await get(`${origin}/page`)).toEqual([200, '/static/app/a.css /media/me.txt']);
    });
  });

  it('tags, functions and filters of Nunjucks are the same beside the locals', async () => {
    const here = await site({
      'page.njk': `{% static 'app/a.css' %} {{ static('app/a.css') }} {{ 'app/a.css' | static }}`,
      'own.njk': `{% set static = 'own' %}{{ static }} {% static 'app/a.css' %}`,
    });
    const app = framework();
    app.use(serveStatic(here.files));
    useNunjucks(app, here, true);
    app.get('/:page', (request, response) => response.render(`${request.params.page}.njk`));
    const origin = await serve(app);
    const url = '/static/app/a.css';
    expect(await get(`${origin}/page`)).toEqual([200, `${url} ${url} ${url}`]);
    expect(await get(`${origin}/own`)).toEqual([200, `own ${url}`]);
  });

  it('what the application or an earlier middleware calls so stays', async () => {
    const here = await site({ 'page.njk': "{{ static }} {{ media }} {% static 'app/a.css' %}" });
    const app = framework();
    useNunjucks(app, here, true);
    app.set('views', here.views);
    app.locals.media = 'of the application';
    app.use((_request, response, next) => {
      response.locals.static = 'own';
      next();
    });
    app.use(serveStatic(here.files));
    app.get('/page', (_request, response) => response.render('page.njk'));
    expect(await get(`${await serve(app)}/page`)).toEqual([
      200,
      'own of the application /static/app/a.css',
    ]);
  });

  it('it works below a path and in a router', async () => {
    const { files } = await site({}, { staticUrl: '/sub/static/' });
    const app = framework();
    const router = framework.Router();
    router.use(serveStatic(files));
    router.get('/page', (_request, response) => {
      response.send(response.locals.static('app/a.css'));
    });
    app.use('/sub', router);
    const origin = await serve(app);
    expect(await get(`${origin}/sub/page`)).toEqual([200, '/sub/static/app/a.css']);
    expect(await get(`${origin}/sub/static/app/a.css`)).toEqual([200, 'a{}']);
    expect((await get(`${origin}/static/app/a.css`))[1]).toContain('Cannot GET /static/app/a.css');
  });

  it("the application's 404 stays its own", async () => {
    const { files } = await site({}, { fallthrough: true });
    const app = framework();
    app.use(serveStatic(files));
    app.use((request: Request, response: Response) => {
      response.status(404).send(`no ${request.originalUrl}`);
    });
    const origin = await serve(app);
    expect(await get(`${origin}/nowhere?x`)).toEqual([404, 'no /nowhere?x']);
    expect(await get(`${origin}/static/none.css`)).toEqual([404, 'no /static/none.css']);
  });

  it('a fault reaches the error handlers', async () => {
    const app = framework();
    app.use(serveStatic(brokenFiles()));
    app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
      response.status(503).send(`handled: ${error.message}`);
    });
    expect(await get(`${await serve(app)}/static/x`)).toEqual([
      503,
      'handled: the finder is broken',
    ]);
  });

  it('a logger in front sees the status and the end', async () => {
    const { files } = await site();
    const lines: string[] = [];
    const app = framework();
    app.use((request, response, next) => {
      response.once('finish', () => {
        lines.push(`${request.originalUrl} ${response.statusCode} ${response.get('etag')}`);
      });
      next();
    });
    app.use(serveStatic(files));
    const origin = await serve(app);
    const etag = (await fetch(`${origin}/static/app/a.css`)).headers.get('etag') ?? '';
    await get(`${origin}/static/app/a.css`, { headers: { 'If-None-Match': etag } });
    expect(lines).toEqual([`/static/app/a.css 200 ${etag}`, `/static/app/a.css 304 ${etag}`]);
  });

  it('a middleware that compresses may wrap the response', async () => {
    const { files } = await site();
    const app = framework();
    app.use(gzipped);
    app.use(serveStatic(files));
    const response = await fetch(`${await serve(app)}/static/app/a.css`);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.text()).toBe('a{}');
  });

  it('refuses what are no files', () => {
    expect(() => framework().use(serveStatic({ dirs: [] } as never))).toThrow(
      'serveStatic(files) takes what createStaticFiles() answers.',
    );
  });
});

/** What the package `compression` does: it takes the place of the response's own functions. */
function gzipped(_request: Request, response: Response, next: NextFunction): void {
  const writeHead = response.writeHead.bind(response);
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  const gzip = createGzip();
  Object.assign(response, {
    writeHead(status: number, headers: Record<string, string> | string[] = {}) {
      for (const [name, value] of pairs(headers)) response.setHeader(name, value);
      response.removeHeader('Content-Length');
      response.setHeader('Content-Encoding', 'gzip');
      return writeHead(status);
    },
    write: (chunk: Buffer) => gzip.write(chunk),
    end(chunk?: Buffer) {
      gzip.end(chunk);
      return response;
    },
  });
  gzip.on('data', (chunk: Buffer) => write(chunk)).once('end', () => end());
  next();
}

/** Headers as `writeHead()` takes them: by name, or names and values by turns. */
function pairs(headers: Record<string, string> | string[]): [string, string][] {
  if (!Array.isArray(headers)) return Object.entries(headers);
  return headers.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name, headers[at + 1] ?? '']] : [],
  );
}
