import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, get as httpGet } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import express from 'express';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { serveStatic } from '../adapters/express.js';
import {
  createStaticFiles,
  fileSystemStorage,
  hashedStorage,
  type Settings,
} from '../src/index.js';
import { type LiveServer, startLiveServer, startStaticLiveServer } from '../src/testing.js';
import { get } from './adapters/site.js';
import { freePort } from './free-port.js';
import { add, project } from './project.js';

const SOURCES = {
  'static/app/a.css': 'a { color: red }',
  'uploads/me.txt': 'me',
};

function settingsOf(more: Settings = {}): Settings & { baseDir: string } {
  const folders = { dirs: ['static'], staticRoot: 'collected', mediaRoot: 'uploads' };
  return { ...folders, mediaUrl: '/media/', ...more, baseDir: project(SOURCES) };
}

/** Ends the server with the test. */
async function running(starting: Promise<LiveServer>): Promise<LiveServer> {
  const server = await starting;
  onTestFinished(() => server.close());
  return server;
}

afterEach(() => {
  vi.restoreAllMocks();
});

const app = express().use((request, response) => void response.send(`app ${request.url}`));

describe.each([
  ['debug', true],
  ['no debug', false],
])('with %s,', (_, debug) => {
  it('startStaticLiveServer() serves what is there now, without collecting', async () => {
    const settings = settingsOf({ debug });
    const files = createStaticFiles(settings);
    const { url } = await running(startStaticLiveServer(app, files));
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await get(`${url}/static/app/a.css`)).toEqual([200, 'a { color: red }']);
    writeFileSync(join(settings.baseDir, 'static/app/a.css'), 'a{}');
    expect(await get(`${url}/static/app/a.css`)).toEqual([200, 'a{}']);
    expect(await get(`${url}/static/app/none.css`)).toEqual([404, 'Not found\n']);
    expect(await get(`${url}/media/me.txt`)).toEqual([200, 'me']);
    expect(await get(`${url}/page?x=1`)).toEqual([200, 'app /page?x=1']);
  });

  it('startLiveServer() serves what was collected, and nothing else', async () => {
    const settings = settingsOf({ debug });
    await createStaticFiles({ ...settings, debug: true }).collect();
    writeFileSync(join(settings.baseDir, 'static/app/late.css'), 'late{}');
    writeFileSync(join(settings.baseDir, 'static/app/a.css'), 'changed');
    const { url } = await running(startLiveServer(app, createStaticFiles(settings)));
    expect(await get(`${url}/static/app/a.css`)).toEqual([200, 'a { color: red }']);
    expect(await get(`${url}/static/app/late.css`)).toEqual([404, 'Not found\n']);
    expect(await get(`${url}/media/me.txt`)).toEqual([200, 'me']);
    expect(await get(`${url}/page?x=1`)).toEqual([200, 'app /page?x=1']);
  });

  it('startLiveServer() answers hashed names of a hashed storage', async () => {
    const settings = settingsOf({ storage: hashedStorage() });
    await createStaticFiles({ ...settings, debug: false }).collect();
    const { staticUrl } = createStaticFiles({ ...settings, debug: false });
    const files = createStaticFiles({ ...settings, debug });
    const { url } = await running(startLiveServer(app, files));
    expect(staticUrl('app/a.css')).toMatch(/^\/static\/app\/a\.[\da-f]{12}\.css$/);
    expect(await get(url + staticUrl('app/a.css'))).toEqual([200, 'a { color: red }']);
    expect(await get(`${url}/static/app/a.css`)).toEqual([200, 'a { color: red }']);
  });

  it('startLiveServer() fails where a hashed storage has collected nothing', async () => {
    const files = createStaticFiles(settingsOf({ debug, storage: hashedStorage() }));
    await expect(startLiveServer(app, files)).rejects.toMatchObject({
      code: 'ERR_STATICFILES_MANIFEST',
    });
  });

  it.each([
    ['without uploads', { mediaUrl: undefined, mediaRoot: undefined }],
    ['at the root of the site', { staticUrl: '/' }],
    ['in front of the uploads', { staticUrl: '/files/', mediaUrl: '/files/media/' }],
    ['for a site below a path', { scriptName: '/sub', staticUrl: 'static/', mediaUrl: 'media/' }],
  ])('both serve static files %s', async (_, more: Settings) => {
    const settings = settingsOf({ debug, ...more });
    await createStaticFiles({ ...settings, debug: true }).collect();
    for (const starts of [startStaticLiveServer, startLiveServer]) {
      const files = createStaticFiles(settings);
      const { url } = await running(starts(app, files));
      expect((await get(url + files.staticUrl('app/a.css')))[0]).toBe(200);
      expect(await get(`${url}/page`)).toEqual([200, 'app /page']);
      const upload = await get(new URL(files.mediaUrl('me.txt'), `${url}/`).href);
      expect(upload).toEqual(settings.mediaUrl ? [200, 'me'] : [200, 'app /me.txt']);
    }
  });
});

it.each([
  ['startStaticLiveServer()', startStaticLiveServer],
  ['startLiveServer()', startLiveServer],
])('%s keeps to the other settings', async (_, starts) => {
  const settings = settingsOf({
    rootFiles: 'root',
    fallthrough: true,
    headers: (name) => ({ 'X-Name': name }),
    storage: () => fileSystemStorage(),
  });
  add(settings.baseDir, { 'root/robots.txt': 'robots' });
  await createStaticFiles({ ...settings, debug: true }).collect();
  for (const debug of [true, false]) {
    const { url } = await running(starts(app, createStaticFiles({ ...settings, debug })));
    expect(await get(`${url}/robots.txt`)).toEqual([200, 'robots']);
    expect(await get(`${url}/static/none.css`)).toEqual([200, 'app /static/none.css']);
    const { headers } = await fetch(`${url}/static/app/a.css`);
    expect(headers.get('x-name')).toBe('app/a.css');
    expect(await get(`${url}/media/me.txt`)).toEqual([200, 'me']);
  }
});

it.each([startStaticLiveServer, startLiveServer])(
  '%o comes before what the application serves itself',
  async (starts) => {
    const settings = settingsOf();
    await createStaticFiles({ ...settings, debug: true }).collect();
    for (const debug of [true, false]) {
      const files = createStaticFiles({ ...settings, debug });
      const served = express().use(serveStatic(files), app);
      const { url } = await running(starts(served, files));
      const isLive = starts === startStaticLiveServer;
      const { headers } = await fetch(`${url}/static/app/a.css`);
      expect(headers.get('cache-control')).toBe(isLive ? 'no-cache' : 'public, max-age=60');
    }
  },
);

describe('a live server', () => {
  const files = () => createStaticFiles(settingsOf({ debug: true }));

  it('needs no application', async () => {
    const { url } = await running(startStaticLiveServer(undefined, files()));
    expect((await get(`${url}/static/app/a.css`))[0]).toBe(200);
    expect(await get(url)).toEqual([
      404,
      'Not found. This live server has no application, only static and media files.\n',
    ]);
  });

  it('takes a promise of an application', async () => {
    const { url } = await running(startStaticLiveServer(Promise.resolve(app), files()));
    expect(await get(`${url}/page`)).toEqual([200, 'app /page']);
  });

  it('takes a host and a port', async () => {
    const port = await freePort('127.0.0.2');
    const server = await startStaticLiveServer(app, files(), { host: '127.0.0.2', port });
    expect(server.url).toBe(`http://127.0.0.2:${port}`);
    expect(await get(`${server.url}/page`)).toEqual([200, 'app /page']);
    await server.close();
    const again = await running(startStaticLiveServer(app, files(), { host: '127.0.0.2', port }));
    expect(await get(`${again.url}/page`)).toEqual([200, 'app /page']);
  });

  it('says where it cannot listen', async () => {
    const { url } = await running(startStaticLiveServer(app, files()));
    const port = Number(new URL(url).port);
    await expect(startStaticLiveServer(app, files(), { port })).rejects.toThrow(
      `A live server cannot listen on 127.0.0.1:${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}. Without a port it takes one that is free.`,
    );
  });

  it('ends connections that wait, and streams of events, and may be closed twice', async () => {
    const server = await startStaticLiveServer((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
    }, files());
    const { hostname, port } = new URL(server.url);
    const idle = connect(Number(port), hostname);
    idle.on('error', () => {}); // being cut off is what it waits for
    await once(idle, 'connect');
    const stream = httpGet(server.url);
    const [response] = await once(stream, 'response');
    response.on('error', () => {});
    await once(response, 'data');
    const ended = Promise.all([idle, response].map(closed));
    await Promise.all([server.close(), server.close()]);
    await ended;
    const again = createServer().listen(Number(port), hostname);
    await once(again, 'listening');
    expect((again.address() as AddressInfo).port).toBe(Number(port));
    again.close();
  });

  it('can be disposed of', async () => {
    const server = await startStaticLiveServer(app, files());
    await server[Symbol.asyncDispose]();
    await expect(get(server.url)).rejects.toThrow('fetch failed');
  });

  it('tells the faults of an application', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const fault = new Error('the page is broken');
    const { url } = await running(
      startStaticLiveServer(() => {
        throw fault;
      }, files()),
    );
    expect((await get(url))[0]).toBe(500);
    expect(told.mock.calls).toEqual([[fault]]);
  });

  it('tells the faults of the static files', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const settings = settingsOf();
    const finders = [{ find: () => 'no array', list: () => [] } as never];
    const { url } = await running(
      startStaticLiveServer(app, createStaticFiles({ ...settings, finders })),
    );
    expect((await get(`${url}/static/app/a.css`))[0]).toBe(500);
    expect(String(told.mock.calls[0])).toContain('find() must answer an array');
    rmSync(settings.baseDir, { recursive: true });
  });

  it.each([
    [
      'an application',
      () => startLiveServer('app.js' as never, files()),
      'The application is a value of type string. It must be a function (request, response), an Express or Koa application,',
    ],
    [
      'files',
      () => startLiveServer(app, { dirs: [] } as never),
      'startLiveServer(application, files) takes what createStaticFiles() answers.',
    ],
    [
      'options',
      () => startStaticLiveServer(app, files(), { ports: 1 } as never),
      "'ports' is no option of a live server. Did you mean 'port'?",
    ],
  ])('refuses what are no %s', async (_, starting, message) => {
    await expect(starting()).rejects.toThrow(message);
  });
});

function closed(stream: Readable): Promise<unknown> {
  return new Promise((resolve) => stream.once('close', resolve));
}
