import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Settings } from '../../src/settings.js';
import { createStaticFiles } from '../../src/static-files.js';
import { project } from '../project.js';
import { warnings } from '../warnings.js';
import { asking } from './ask.js';

const TEXT = 'a'.repeat(2000);

async function siteOf(collected: Record<string, string>, more: Settings = {}) {
  const baseDir = project({
    'collected/.keep': '',
    ...Object.fromEntries(
      Object.entries(collected).map(([name, text]) => [`collected/${name}`, text]),
    ),
  });
  const files = createStaticFiles({ baseDir, staticRoot: 'collected', debug: false, ...more });
  return { baseDir, root: join(baseDir, 'collected'), ask: await asking(files.handler) };
}

describe('what lies in the static root', () => {
  test('is answered, and looked at again when it is asked for later', async () => {
    const { root, ask } = await siteOf({ 'a.txt': 'one' });
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      expect(await ask('/static/a.txt')).toMatchObject({
        status: 200,
        body: 'one',
        headers: { 'cache-control': 'public, max-age=60' },
      });
      writeFileSync(join(root, 'a.txt'), 'another');
      vi.setSystemTime(Date.now() + 2000);
      expect((await ask('/static/a.txt')).body).toBe('another');
      rmSync(join(root, 'a.txt'));
      vi.setSystemTime(Date.now() + 2000);
      expect((await ask('/static/a.txt')).status).toBe(404);
      writeFileSync(join(root, 'a.txt'), 'again');
      expect((await ask('/static/a.txt')).body).toBe('again');
    } finally {
      vi.useRealTimers();
    }
  });

  test('has a tag by its content: packages come with one time for all files', async () => {
    const { root, ask } = await siteOf({ 'a.txt': 'one' });
    utimesSync(join(root, 'a.txt'), 499162500, 499162500);
    const first = await ask('/static/a.txt');
    writeFileSync(join(root, 'a.txt'), 'two');
    utimesSync(join(root, 'a.txt'), 499162500, 499162500);
    const again = await asking(createStaticFiles({ staticRoot: root, debug: false }).handler);
    const condition = { 'If-None-Match': first.headers.etag ?? '' };
    expect(await again('/static/a.txt', condition)).toMatchObject({ status: 200, body: 'two' });
    const fresh = { 'If-None-Match': (await again('/static/a.txt')).headers.etag ?? '' };
    expect((await again('/static/a.txt', fresh)).status).toBe(304);
  });

  test('is answered with what collectstatic has compressed', async () => {
    const baseDir = project({ 'static/a.txt': TEXT, 'static/b.txt.gz': 'really' });
    const settings = { baseDir, dirs: ['static'], staticRoot: 'c', compress: true, debug: false };
    await createStaticFiles(settings).collect();
    const ask = await asking(createStaticFiles(settings).handler);
    const [whole, br] = [
      await ask('/static/a.txt'),
      await ask('/static/a.txt', { 'Accept-Encoding': 'br' }),
    ];
    expect(whole).toMatchObject({ body: TEXT, headers: { vary: 'Accept-Encoding' } });
    expect(br).toMatchObject({
      status: 200,
      headers: { 'content-encoding': 'br', 'content-type': 'text/plain; charset=utf-8' },
    });
    expect(br.headers.etag).not.toBe(whole.headers.etag);
    expect((await ask('/static/a.txt.br')).status).toBe(404);
    expect((await ask('/static/b.txt.gz')).body).toBe('really');
  });

  test('a source that is really named as a compressed form is no form of another', async () => {
    const baseDir = project({ 'static/a.txt': TEXT, 'static/a.txt.br': 'really' });
    const settings = { baseDir, dirs: ['static'], staticRoot: 'c', debug: false };
    await createStaticFiles(settings).collect();
    const ask = await asking(createStaticFiles(settings).handler);
    expect((await ask('/static/a.txt.br')).body).toBe('really');
    expect((await ask('/static/a.txt', { 'Accept-Encoding': 'br' })).body).toBe(TEXT);
  });

  test('a compressed form that is older than the file is of what it was before', async () => {
    const { root, ask } = await siteOf({ 'a.txt': 'new', 'a.txt.br': 'old' });
    utimesSync(join(root, 'a.txt.br'), 1000, 1000);
    expect((await ask('/static/a.txt', { 'Accept-Encoding': 'br' })).body).toBe('new');
  });

  test.each([
    '.staticfiles/state.json',
    '.STATICFILES/state.json',
    '.staticfiles-partial-1',
    'a/.staticfiles-partial-1',
    '',
    'a',
    'a/',
  ])('but for %j', async (name) => {
    const { ask } = await siteOf({
      '.staticfiles/state.json': '{}',
      '.STATICFILES/state.json': '{}',
      '.staticfiles-partial-1': 'x',
      'a/.staticfiles-partial-1': 'x',
      'a/b.txt': 'b',
    });
    expect((await ask('/static/a/b.txt')).status).toBe(200);
    expect((await ask(`/static/${name}`)).status).toBe(404);
  });

  test('names that a file system takes for paths lead nowhere', async () => {
    const { ask } = await siteOf({ 'a.txt': 'a', '__proto__/a.txt': 'p' });
    expect((await ask('/static/__proto__/a.txt')).body).toBe('p');
    expect((await ask('/static/__proto__')).status).toBe(404);
    expect((await ask(`/static/${'x/'.repeat(3000)}y`)).status).toBe(404);
  });
});

describe('links in the static root', () => {
  test('that collectstatic --link made are followed', async () => {
    const baseDir = project({ 'static/a.txt': 'linked' });
    const settings = { baseDir, dirs: ['static'], staticRoot: 'c', debug: false };
    await createStaticFiles(settings).collect({ link: true });
    const ask = await asking(createStaticFiles(settings).handler);
    expect(await ask('/static/a.txt')).toMatchObject({ status: 200, body: 'linked' });
  });

  test('that lead elsewhere are not, and that is told', async () => {
    const { baseDir, root, ask } = await siteOf({ 'in/b.txt': 'b' });
    writeFileSync(join(baseDir, 'secret.txt'), 'secret');
    mkdirSync(join(baseDir, 'outside'));
    writeFileSync(join(baseDir, 'outside/x.txt'), 'secret');
    symlinkSync(join(baseDir, 'secret.txt'), join(root, 'a.txt'));
    symlinkSync(join(baseDir, 'outside'), join(root, 'folder'));
    symlinkSync('in', join(root, 'inside'));
    const heard = warnings(root);
    for (const path of ['a.txt', 'a.txt', 'folder/x.txt']) {
      expect(await ask(`/static/${path}`)).toMatchObject({ status: 404, body: 'Not found\n' });
    }
    expect(heard).toEqual([
      `StaticFilesWarning: ${join(root, 'a.txt')} is not served: it is a link out of ${root}.`,
      `StaticFilesWarning: ${join(root, 'folder/x.txt')} is not served: it is a link out of ${root}.`,
    ]);
    expect((await ask('/static/inside/b.txt')).body).toBe('b');
  });
});

describe('rootFiles', () => {
  async function rootSite(debug: boolean, more: Settings = {}) {
    const baseDir = project({
      'root/favicon.ico': 'icon',
      'root/robots.txt': 'User-agent: *',
      'root/.well-known/security.txt': 'Contact: me',
      'root/a[1] b.txt': 'odd',
      'static/a.css': 'a{}',
      'secret.txt': 'secret',
    });
    const settings = {
      baseDir,
      dirs: ['static'],
      staticRoot: 'c',
      rootFiles: 'root',
      ...more,
    };
    await createStaticFiles(settings).collect();
    const files = createStaticFiles({ ...settings, debug });
    const ask = await asking((request, response) =>
      files.handler(request, response, () => response.end(`page ${request.url}`)),
    );
    return { ask, baseDir };
  }

  test.each([
    [true, 'no-cache'],
    [false, 'public, max-age=60'],
  ])('are served at the root of the site; debug: %s', async (debug, cacheControl) => {
    const { ask } = await rootSite(debug);
    expect(await ask('/favicon.ico')).toMatchObject({
      status: 200,
      body: 'icon',
      headers: { 'content-type': 'image/x-icon', 'cache-control': cacheControl },
    });
    expect((await ask('/robots.txt?x')).body).toBe('User-agent: *');
    expect((await ask('/.well-known/security.txt')).body).toBe('Contact: me');
    for (const path of ['/a[1]%20b.txt', '/a%5B1%5D%20b.txt', '/%61[1]%20b.txt']) {
      expect((await ask(path)).body, path).toBe('odd');
    }
    expect((await ask('/static/a.css')).body).toBe('a{}');
    expect((await ask('/static/none.css')).status).toBe(404);
  });

  test.each([true, false])('all else is a page; debug: %s', async (debug) => {
    const { ask } = await rootSite(debug);
    for (const path of ['/', '/page', '/favicon.ico/', '/..%2fsecret.txt', '/.well-known', '/%']) {
      expect((await ask(path)).body).toBe(`page ${path}`);
    }
    expect((await ask('/favicon.ico', {}, 'POST')).body).toBe('page /favicon.ico');
  });

  test('new ones are there at once in development', async () => {
    const { ask, baseDir } = await rootSite(true);
    writeFileSync(join(baseDir, 'root/new.txt'), 'new');
    expect((await ask('/new.txt')).body).toBe('new');
  });

  test('stand beside static files at the root', async () => {
    for (const debug of [true, false]) {
      const { ask } = await rootSite(debug, { staticUrl: '/' });
      expect((await ask('/a.css')).body).toBe('a{}');
      expect((await ask('/robots.txt')).body).toBe('User-agent: *');
      expect((await ask('/none')).body).toBe('page /none');
    }
  });

  test('a folder that is not there holds none', async () => {
    for (const debug of [true, false]) {
      const { ask } = await rootSite(debug, { rootFiles: 'missing' });
      expect((await ask('/robots.txt')).body).toBe('page /robots.txt');
    }
  });
});
