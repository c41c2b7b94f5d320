import { once } from 'node:events';
import { connect } from 'node:http2';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import fastifyView, { type FastifyViewOptions } from '@fastify/view';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import Handlebars from 'handlebars';
import nunjucks from 'nunjucks';
import { describe, expect, it, onTestFinished } from 'vitest';
import staticfiles, { serveStatic } from '../../adapters/fastify.js';
import { registerStatic as registerHelpers } from '../../adapters/handlebars.js';
import { registerStatic as registerTags } from '../../adapters/nunjucks.js';
import { APPLICATION, describeHttp } from '../contracts/http.js';
import { brokenFiles, get, type Site, site } from './site.js';

function application(options: FastifyServerOptions = {}): FastifyInstance {
  const app = Fastify(options);
  onTestFinished(() => app.close());
  return app;
}

const listen = (app: FastifyInstance) => app.listen({ host: '127.0.0.1', port: 0 });

/** Fastify's router looks at the path before any hook. */
const MALFORMED = ['%', '%2', '%zz', '%ff', 'app/%E0%A4%A', 'app/%ed%a0%80.css'];

describeHttp('Fastify', {
  except: Object.fromEntries(
    MALFORMED.map((path) => [`miss/${path}`, 'Fastify itself answers it with 400']),
  ),
  async start(files) {
    const app = Fastify({ forceCloseConnections: true });
    await app.register(staticfiles, { files });
    app.all('/*', async () => APPLICATION);
    app.setNotFoundHandler((_request, reply) => reply.code(200).send(APPLICATION));
    return { url: await listen(app), close: () => app.close() };
  },
});

it.each([
  ['from their sources', true],
  ['as they were collected', false],
])('static files are served %s', async (_, debug) => {
  const { files } = await site({}, { debug });
  const app = application();
  await app.register(staticfiles, { files });
  const origin = await listen(app);
  expect(await get(`${origin}/static/app/a.css`)).toEqual([200, 'a{}']);
  expect(await get(`${origin}/static/none.css`)).toEqual([404, 'Not found\n']);
  const response = await fetch(`${origin}/static/app/a.css`, { method: 'POST' });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

it.each(MALFORMED)('Fastify answers 400 to /static/%s, with nothing of a file', async (path) => {
  const { files } = await site();
  const app = application();
  await app.register(staticfiles, { files });
  const [status, text] = await get(`${await listen(app)}/static/${path}`);
  expect([status, JSON.parse(text).code]).toEqual([400, 'FST_ERR_BAD_URL']);
});

it('a reply answers URLs, in every plugin of the application', async () => {
  const { files } = await site();
  const app = application();
  app.register(
    async (instance) => {
      instance.get('/page', async (_request, reply) => {
        return [reply.staticUrl('app/a.css'), reply.mediaUrl('me.txt')];
      });
    },
    { prefix: '/sub' },
  );
  app.register(serveStatic, { files });
  const origin = await listen(app);
  expect(await get(`${origin}/sub/page`)).toEqual([200, '["/static/app/a.css","/media/me.txt"]']);
});

describe.each([
  ['Nunjucks', 'page.njk', "{{ static('app/a.css') }} {{ media('me.txt') }} {{ own }}"],
  ['Handlebars', 'page.hbs', "{{static 'app/a.css'}} {{media 'me.txt'}} {{own}}"],
])('templates of %s by @fastify/view', (engine, name, template) => {
  function viewOptions({ files, views }: Site, isRegistered: boolean): FastifyViewOptions {
    if (engine === 'Nunjucks') {
      const onConfigure = (env: nunjucks.Environment) => {
        if (isRegistered) registerTags(env, files);
      };
      return { engine: { nunjucks }, templates: views, options: { onConfigure } };
    }
    const handlebars = Handlebars.create();
    if (isRegistered) registerHelpers(handlebars, files);
    return { engine: { handlebars }, root: views };
  }

  it.each([
    ['after it', false, false],
    ['after it, with tags', false, true],
    ['before it', true, false],
    ['before it, with tags', true, true],
  ])('have URLs where it is registered %s', async (_, isFirst, isRegistered) => {
    const here = await site({ [name]: template });
    const app = application();
    if (isFirst) await app.register(fastifyView, viewOptions(here, isRegistered));
    await app.register(staticfiles, { files: here.files });
    if (!isFirst) await app.register(fastifyView, viewOptions(here, isRegistered));
    app.addHook('onRequest', async (_request, reply) => {
      const { locals } = reply as { locals?: object };
      Object.assign(locals ?? {}, { own: 'mine' });
    });
    app.get('/page', (_request, reply) => reply.view(name));
    const page = '/static/app/a.css /media/me.txt mine';
    expect(await get(`${await listen(app)}/page`)).toEqual([200, page]);
  });
});

it('hooks and the log see the answer', async () => {
  const { files } = await site();
  const lines: string[] = [];
  const app = application({ logger: { stream: { write: (line: string) => lines.push(line) } } });
  const seen: unknown[] = [];
  app.addHook('onResponse', async (request, reply) => {
    seen.push([request.url, reply.statusCode]);
  });
  await app.register(staticfiles, { files });
  const origin = await listen(app);
  await get(`${origin}/static/app/a.css`);
  await get(`${origin}/static/none.css`);
  expect(seen).toEqual([
    ['/static/app/a.css', 200],
    ['/static/none.css', 404],
  ]);
  const logged = lines
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg === 'request completed');
  expect(logged.map(({ res }) => res.statusCode)).toEqual([200, 404]);
  expect(lines.map((line) => JSON.parse(line).level).every((level) => level === 30)).toBe(true);
});

it('inject() answers as the socket does', async () => {
  const { files } = await site();
  const app = application();
  await app.register(staticfiles, { files });
  const answer = await app.inject('/static/app/a.css');
  expect([answer.statusCode, answer.payload]).toEqual([200, 'a{}']);
  expect(answer.headers['content-type']).toBe('text/css; charset=utf-8');
  const missing = await app.inject('/static/none.css');
  expect([missing.statusCode, missing.headers['cache-control']]).toEqual([404, 'no-store']);
});

it('headers that an earlier hook has given the reply are on the answer, and on nothing else', async () => {
  const { files } = await site({}, { fallthrough: true });
  const app = application();
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('X-Early', 'yes').header('X-Many', ['a', 'b']);
    reply.raw.setHeader('X-Raw', 'yes');
  });
  await app.register(staticfiles, { files });
  app.addHook('onRequest', async (_request, reply) => {
    reply.removeHeader('X-Early');
  });
  app.get('/page', async () => 'page');
  const origin = await listen(app);
  const early = async (path: string) => {
    const { headers } = await fetch(`${origin}${path}`);
    return [headers.get('x-early'), headers.get('x-many'), headers.get('x-raw')];
  };
  expect(await early('/static/app/a.css')).toEqual(['yes', 'a, b', 'yes']);
  expect(await early('/static/none.css')).toEqual([null, 'a, b', 'yes']);
  expect(await early('/page')).toEqual([null, 'a, b', 'yes']);
});

it("the application's 404 stays its own", async () => {
  const { files } = await site({}, { fallthrough: true });
  const app = application();
  await app.register(staticfiles, { files });
  app.setNotFoundHandler((request, reply) => reply.code(404).send(`no ${request.url}`));
  const origin = await listen(app);
  expect(await get(`${origin}/nowhere?x`)).toEqual([404, 'no /nowhere?x']);
  expect(await get(`${origin}/static/none.css`)).toEqual([404, 'no /static/none.css']);
});

it('a fault reaches the error handler', async () => {
  const app = application();
  await app.register(staticfiles, { files: brokenFiles() });
  app.setErrorHandler((error: Error, _request, reply) => {
    return reply.code(503).send(`handled: ${error.message}`);
  });
  const answer = [503, 'handled: the finder is broken'];
  expect(await get(`${await listen(app)}/static/x`)).toEqual(answer);
});

it('it goes by the path that the client sent, also where Fastify rewrites it', async () => {
  const { files } = await site({}, { staticUrl: '/sub/static/' });
  const app = application({ rewriteUrl: ({ url = '/' }) => url.replace(/^\/sub/, '') });
  await app.register(staticfiles, { files });
  const origin = await listen(app);
  expect(await get(`${origin}/sub/static/app/a.css`)).toEqual([200, 'a{}']);
  expect((await get(`${origin}/static/app/a.css`))[0]).toBe(404);
});

it('it serves HTTP/2', async () => {
  const { files } = await site();
  const app = Fastify({ http2: true });
  onTestFinished(() => app.close());
  await app.register(staticfiles, { files });
  const client = connect(await app.listen({ host: '127.0.0.1', port: 0 }));
  onTestFinished(() => client.close());
  const stream = client.request({ ':path': '/static/app/a.css' });
  const [head] = await once(stream, 'response');
  expect(head).toMatchObject({ ':status': 200, 'content-type': 'text/css; charset=utf-8' });
  expect(await text(stream)).toBe('a{}');
});

it('it may be loaded by import() and by require()', async () => {
  const require = createRequire(import.meta.url);
  for (const plugin of [import('staticfiles/fastify'), require('staticfiles/fastify')]) {
    const { files } = await site();
    const app = application();
    await app.register(plugin, { files });
    expect((await app.inject('/static/app/a.css')).payload).toBe('a{}');
  }
});

it('refuses what are no files', async () => {
  const app = application();
  await expect(app.register(staticfiles, {} as never).ready()).rejects.toThrow(
    'register(serveStatic, { files }) takes what createStaticFiles() answers.',
  );
});
