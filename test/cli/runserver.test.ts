import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { BIN, type Running, start } from '../process.js';
import { project, replace } from '../project.js';

const modules = new URL('../../node_modules/', import.meta.url);
const load = (name: string) => JSON.stringify(new URL(name, modules).href);

const FILES = {
  'staticfiles.config.mjs':
    'export default { apps: ["polls"], mediaUrl: "/media/", mediaRoot: "uploads" };',
  'polls/static/polls/a.css': 'a{}',
  'uploads/me.txt': 'me',
  'app.mjs': 'export default (request, response) => response.end("app " + request.url);',
};

/** Starts the server on a free port, and answers where it is. */
async function serve(root: string, args: string[], env?: Record<string, string>) {
  const server = start([BIN, 'runserver', '0', ...args], root, env);
  return { server, url: await urlOf(server) };
}

async function urlOf(server: Running): Promise<string> {
  const [, url = ''] = await server.waitFor(/Development server at (http:\S+)\n/);
  return url;
}

async function get(url: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

describe('runserver', () => {
  it('serves static and media files in front of the application', async () => {
    const { server, url } = await serve(project(FILES), ['app.mjs', '--noreload']);
    expect(await get(`${url}static/polls/a.css`)).toEqual([200, 'a{}']);
    expect(await get(`${url}media/me.txt`)).toEqual([200, 'me']);
    expect((await get(`${url}static/none.css`))[0]).toBe(404);
    expect(await get(`${url}some/page?x=1`)).toEqual([200, 'app /some/page?x=1']);
    await server.waitFor(/GET \/some\/page\?x=1 200 \d+ B \d+ ms\n/);
    expect(server.err()).toMatch(/^\[\d\d:\d\d:\d\d\] GET \/static\/polls\/a\.css 200 /);
    expect(await server.end('SIGINT')).toBe(0);
  });

  it.each([
    ['a function', 'app.mjs', FILES['app.mjs']],
    ['a function of CommonJS', 'app.cjs', 'module.exports = (q, r) => r.end("app " + q.url);'],
    [
      'TypeScript',
      'app.ts',
      [
        'import type { IncomingMessage, ServerResponse } from "node:http";',
        'enum Greeting { app }', // what Node's own type stripping does not take
        'export default (q: IncomingMessage, r: ServerResponse): void => void r.end(Greeting[0] + " " + q.url);',
      ].join('\n'),
    ],
    [
      'an Express application',
      'app.mjs',
      `import express from ${load('express/index.js')}; const app = express(); app.get('/x', (q, r) => r.send('app /x')); export default app;`,
    ],
    [
      'a Fastify instance',
      'app.mjs',
      `import fastify from ${load('fastify/fastify.js')}; const app = fastify(); app.get('/x', async () => 'app /x'); export default app;`,
    ],
    [
      'an object with fetch',
      'app.mjs',
      'export default { fetch: (request) => new Response("app " + new URL(request.url).pathname) };',
    ],
    [
      'an http.Server',
      'app.mjs',
      'import { createServer } from "node:http"; export default createServer((q, r) => r.end("app " + q.url));',
    ],
    [
      'a promise of one',
      'app.mjs',
      'export default Promise.resolve((q, r) => r.end("app " + q.url));',
    ],
  ])('serves %s', async (_, file, source) => {
    const root = project({ ...FILES, [file]: source });
    const { url } = await serve(root, [file, '--noreload']);
    expect(await get(`${url}x`)).toEqual([200, 'app /x']);
    expect(await get(`${url}static/polls/a.css`)).toEqual([200, 'a{}']);
  });

  it('hands bodies, cookies and statuses through fetch()', async () => {
    const root = project({
      ...FILES,
      'app.mjs': `export default { async fetch(request) {
        return new Response(await request.text(), { status: 201, headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-method', request.method]] });
      } };`,
    });
    const { url } = await serve(root, ['app.mjs', '--noreload']);
    const response = await fetch(url, { method: 'POST', body: 'hello' });
    expect(response.status).toBe(201);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('x-method')).toBe('POST');
    expect(await response.text()).toBe('hello');
  });

  it('takes a path that begins with two slashes for a path, and refuses what no Request can be', async () => {
    const root = project({
      ...FILES,
      'app.mjs': 'export default { fetch: (request) => new Response(request.url) };',
    });
    const { url } = await serve(root, ['app.mjs', '--noreload']);
    const ask = (path: string, method: string, host?: string) =>
      new Promise<[number, string]>((resolve, reject) => {
        const { hostname, port } = new URL(url);
        const headers = host === undefined ? {} : { host };
        request({ hostname, port, path, method, headers }, async (response) => {
          resolve([response.statusCode ?? 0, (await response.toArray()).join('')]);
        })
          .on('error', reject)
          .end();
      });
    expect(await ask('//evil/x', 'GET', 'here')).toEqual([200, 'http://here//evil/x']);
    expect((await ask('/', 'GET', 'x:y:z'))[0]).toBe(400);
    expect((await ask('/', 'TRACE'))[0]).toBe(400);
  });

  it('keeps what the application prints off the one JSON object', async () => {
    const root = project({
      ...FILES,
      'app.mjs': 'console.log("noise"); export default (q, r) => r.end();',
    });
    const server = start([BIN, 'runserver', '0', 'app.mjs', '--json', '--noreload'], root);
    await server.waitFor(/"url"/);
    expect(Object.keys(JSON.parse(server.out()))).toEqual(['url', 'pid']);
    expect(server.err()).toContain('noise');
  });

  it('notices changes where a source folder is the whole project', async () => {
    const root = project({
      'staticfiles.config.mjs': 'export default { dirs: ["."] };',
      'app.mjs': 'export default (q, r) => r.end("old");',
    });
    const server = start([BIN, 'runserver', '0', 'app.mjs'], root);
    expect((await get(await urlOf(server)))[1]).toBe('old');
    replace(root, { 'app.mjs': 'export default (q, r) => r.end("new");' });
    await server.waitFor(/(Development server at [\s\S]*){2}\n/);
  });

  it('answers 500 and tells the terminal where the application throws', async () => {
    const root = project({
      ...FILES,
      'app.mjs': 'export default async () => { throw new Error("broken page"); };',
    });
    const { server, url } = await serve(root, ['app.mjs', '--noreload']);
    expect((await get(url))[0]).toBe(500);
    await server.waitFor(/Error: broken page\n {4}at /);
  });

  it.each([
    ['--nostatic', {}, [], 'app /static/polls/a.css'],
    ['debug false', { NODE_ENV: 'production' }, [], 'app /static/polls/a.css'],
    ['debug false and --insecure', { NODE_ENV: 'production' }, ['--insecure'], 'a{}'],
  ])('leaves static files to the application, or not, for %s', async (title, env, more, body) => {
    const args = ['app.mjs', '--noreload', ...more, ...(title === '--nostatic' ? [title] : [])];
    const { url } = await serve(project(FILES), args, env);
    expect(await get(`${url}static/polls/a.css`)).toEqual([200, body]);
  });

  it('serves static files alone where it is given no application', async () => {
    const { url } = await serve(project(FILES), ['--noreload']);
    expect(await get(`${url}static/polls/a.css`)).toEqual([200, 'a{}']);
    expect((await get(url))[0]).toBe(404);
  });

  it('starts again when the source changes, also after it could not start', async () => {
    const root = project(FILES);
    const server = start([BIN, 'runserver', '0', 'app.mjs'], root);
    const url = await urlOf(server);
    expect(await get(url)).toEqual([200, 'app /']);

    replace(root, { 'app.mjs': 'export default 5;' });
    await server.waitFor(/app\.mjs has changed; starting again\.\n/);
    await server.waitFor(/The application .*app\.mjs exports a value of type number\./);
    await server.waitFor(/starts again when a file changes/);

    replace(root, { 'app.mjs': 'export default (q, r) => r.end("new");' });
    await server.waitFor(/(Development server at [\s\S]*){2}\n/);
    // At the same port, though it was any that was free: somebody's browser is there.
    expect(await get(url)).toEqual([200, 'new']);

    // A stylesheet is no source: it is served as it is at each request.
    replace(root, { 'polls/static/polls/a.css': 'b{}' });
    expect(await get(`${url}static/polls/a.css`)).toEqual([200, 'b{}']);
    expect(server.err().match(/starting again/g)).toHaveLength(2);
    expect(await server.end('SIGINT')).toBe(0);
  });

  it('answers its URL as JSON', async () => {
    const server = start([BIN, 'runserver', '0', '--json', '--noreload'], project(FILES));
    await server.waitFor(/\n/);
    expect(JSON.parse(server.out())).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/),
      pid: server.process.pid,
    });
  });

  it.each([[['--noreload']], [[]]])('says when the port is taken, and ends: %j', async (more) => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const server = start([BIN, 'runserver', String(port), ...more], project(FILES));
    await server.waitFor(new RegExp(`Error: 127\\.0\\.0\\.1:${port} is in use\\.`));
    await expect.poll(() => server.process.exitCode).not.toBeNull();
    expect(server.process.exitCode).not.toBe(0);
    other.close();
  });

  it.each([
    ['is not there', 'none.mjs', 'There is no application'],
    ['throws', 'throws.mjs', 'does not load: Error: no luck'],
    ['exports nothing', 'nothing.mjs', 'has no default export. It must export'],
  ])('says when the application %s', async (_, app, message) => {
    const root = project({
      ...FILES,
      'throws.mjs': 'throw new Error("no luck");',
      'nothing.mjs': 'export const app = 1;',
    });
    const server = start([BIN, 'runserver', '0', app, '--noreload'], root);
    await server.waitFor(new RegExp(message));
    await expect.poll(() => server.process.exitCode).toBe(1);
    expect(server.err()).not.toMatch(/\n\s+at /);
  });
});
