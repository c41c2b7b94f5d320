import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Settings } from '../../src/settings.js';
import { createStaticFiles, type StaticFiles } from '../../src/static-files.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { project } from '../project.js';
import { asking } from './ask.js';

const IMMUTABLE = 'public, max-age=315360000, immutable';
const CSS = `/* ${'a'.repeat(2000)} */ a { background: url(dot.png) }`;

async function siteOf(sources: Record<string, string>, more: Settings = {}) {
  const baseDir = project(
    Object.fromEntries(Object.entries(sources).map(([name, text]) => [`static/${name}`, text])),
  );
  const settings: Settings = {
    baseDir,
    dirs: ['static'],
    staticRoot: 'collected',
    storage: hashedStorage(),
    compress: true,
    debug: false,
    ...more,
  };
  await createStaticFiles(settings).collect();
  const files = createStaticFiles(settings);
  return {
    files,
    collected: join(baseDir, 'collected'),
    ask: await asking(files.handler),
    async deploy(changes: Record<string, string>) {
      for (const [name, text] of Object.entries(changes)) {
        writeFileSync(join(baseDir, 'static', name), text);
      }
      const next = createStaticFiles(settings);
      await next.collect();
      return next;
    },
  };
}

/** The warnings about a folder while something is done; others are of sites whose tests are over. */
async function warningsOf(collected: string, action: () => Promise<unknown>): Promise<string[]> {
  const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    await action();
    return emitted.mock.calls
      .map(([warning]) => String(warning))
      .filter((warning) => warning.includes(collected));
  } finally {
    emitted.mockRestore();
  }
}

const pathIn = (collected: string, files: StaticFiles, name: string) =>
  join(collected, files.staticUrl(name).slice('/static/'.length));

describe('names', () => {
  test('a hashed name is kept for good, a plain one for a minute, with the same bytes', async () => {
    const { files, ask } = await siteOf({ 'a.css': CSS, 'dot.png': 'png' });
    const hashed = await ask(files.staticUrl('a.css'));
    const plain = await ask('/static/a.css');
    expect(hashed).toMatchObject({ status: 200, headers: { 'cache-control': IMMUTABLE } });
    expect(plain).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'public, max-age=60' },
    });
    expect(plain.body).toBe(hashed.body);
    expect(hashed.body).toContain(`url(${files.staticUrl('dot.png').slice('/static/'.length)})`);
    expect(hashed.headers.etag).toMatch(/^"[0-9a-f]{12}-[0-9a-f]+"$/);
  });

  test('only the manifest says which is which', async () => {
    const { files, ask } = await siteOf(
      { 'lib.0123456789ab.js': 'plain', 'assets/app-Xy12.js': 'bundled' },
      { prehashed: 'assets/**' },
    );
    expect((await ask('/static/lib.0123456789ab.js')).headers['cache-control']).toBe(
      'public, max-age=60',
    );
    expect(files.staticUrl('assets/app-Xy12.js')).toBe('/static/assets/app-Xy12.js');
    expect((await ask('/static/assets/app-Xy12.js')).headers['cache-control']).toBe(IMMUTABLE);
  });

  test('what the manifest does not name is not there, though it lies on the disk', async () => {
    const { collected, files, ask } = await siteOf({ 'a.css': CSS, 'dot.png': 'png' });
    writeFileSync(join(collected, 'stray.css'), 'stray');
    const hashed = files.staticUrl('a.css');
    for (const path of [
      '/static/stray.css',
      '/static/staticfiles.json',
      '/static/.staticfiles/state.json',
      '/static/.staticfiles/',
      `${hashed}.br`,
      `${hashed}.gz`,
      '/static/a.css.br',
      '/static/',
      '/static/a.css/',
      '/static/__proto__',
      '/static/constructor',
      '/static/toString',
    ]) {
      expect(await ask(path), path).toMatchObject({
        status: 404,
        headers: { 'cache-control': 'no-store' },
      });
    }
  });

  test('a file that is really named as a compressed form is one', async () => {
    const { ask } = await siteOf({ 'a.css': CSS, 'dot.png': 'png', 'a.css.br': 'really' });
    expect(await ask('/static/a.css.br')).toMatchObject({ status: 200, body: 'really' });
    const compressed = await ask('/static/a.css', { 'Accept-Encoding': 'br' });
    expect(brotliDecompressSync(Buffer.from(compressed.body, 'latin1')).toString()).toContain(
      'dot',
    );
  });

  test('every spelling of a name is the same file', async () => {
    const { ask } = await siteOf({ 'ü b.css': 'x', '@a/b.js': 'y' });
    for (const path of ['/static/%C3%BC%20b.css', '/static//%c3%bc b.css'.replace(' ', '%20')]) {
      expect(await ask(path)).toMatchObject({ status: 200, body: 'x' });
    }
    for (const path of ['/static/@a/b.js', '/static/%40a/b.js', '/static/@a%2Fb.js']) {
      expect(await ask(path)).toMatchObject({ status: 200, body: 'y' });
    }
  });
});

describe('compressed forms', () => {
  test('each has its own tag, all vary, and they decompress to the same', async () => {
    const { files, ask } = await siteOf({ 'a.css': CSS, 'dot.png': 'png' });
    const url = files.staticUrl('a.css');
    const whole = await ask(url);
    const br = await ask(url, { 'Accept-Encoding': 'br' });
    const gzip = await ask(url, { 'Accept-Encoding': 'gzip' });
    expect(br.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(Buffer.from(br.body, 'latin1')).toString('latin1')).toBe(
      whole.body,
    );
    expect(gunzipSync(Buffer.from(gzip.body, 'latin1')).toString('latin1')).toBe(whole.body);
    expect(new Set([whole, br, gzip].map(({ headers }) => headers.etag)).size).toBe(3);
    for (const { headers } of [whole, br, gzip]) expect(headers.vary).toBe('Accept-Encoding');
    expect((await ask(files.staticUrl('dot.png'))).headers.vary).toBeUndefined();
  });

  test('one that has gone is done without', async () => {
    const { collected, files, ask } = await siteOf({ 'a.css': CSS, 'dot.png': 'png' });
    rmSync(`${pathIn(collected, files, 'a.css')}.br`);
    const warnings = await warningsOf(collected, async () => {
      const got = await ask(files.staticUrl('a.css'), { 'Accept-Encoding': 'br' });
      expect(got.status).toBe(200);
      expect(got.headers['content-encoding']).toBeUndefined();
      expect(got.body).toContain('dot');
    });
    expect(warnings).toEqual([expect.stringContaining('.css.br')]);
  });
});

describe('the disk', () => {
  test('is read once for many that ask, and not for those who have the file', async () => {
    const { collected, files, ask } = await siteOf({ 'a.txt': 'one' });
    const url = files.staticUrl('a.txt');
    const got = await Promise.all(Array.from({ length: 20 }, () => ask(url)));
    expect(new Set(got.map(({ body }) => body))).toEqual(new Set(['one']));
    rmSync(pathIn(collected, files, 'a.txt'));
    expect(await ask(url)).toMatchObject({ status: 200, body: 'one' }); // in memory
    expect((await ask(url, { 'If-None-Match': got[0]?.headers.etag ?? '' })).status).toBe(304);
  });

  test('is read once for many that ask at the same moment, before anything is known', async () => {
    const { files } = await siteOf({ 'a.txt': 'x'.repeat(300_000) });
    const request = () => files.fetch(new Request(`http://localhost${files.staticUrl('a.txt')}`));
    const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow');
    onTestFinished(() => allocated.mockRestore());
    const got = await Promise.all(Array.from({ length: 20 }, request));
    expect(got.map((response) => response?.status)).toEqual(Array(20).fill(200));
    expect(allocated.mock.calls.filter(([size]) => size === 300_000)).toHaveLength(1);
  });

  test('a file that has vanished is a miss, and told once', async () => {
    const { collected, files, ask } = await siteOf({ 'a.txt': 'one' }, { cache: false });
    const path = pathIn(collected, files, 'a.txt');
    const url = files.staticUrl('a.txt');
    renameSync(path, `${path}-away`);
    const warnings = await warningsOf(collected, async () => {
      for (let index = 0; index < 3; index++) expect((await ask(url)).status).toBe(404);
    });
    expect(warnings).toEqual([expect.stringContaining(path)]);
    renameSync(`${path}-away`, path);
    expect(await ask(url)).toMatchObject({ status: 200, body: 'one' });
  });

  test('the same answers come from the disk, without a cache', async () => {
    const big = 'x'.repeat(300_000);
    const { files, ask } = await siteOf({ 'a.txt': big, 'b.txt': 'b' }, { cache: false });
    expect((await ask(files.staticUrl('a.txt'))).body).toBe(big);
    const part = await ask(files.staticUrl('a.txt'), { Range: 'bytes=299990-' });
    expect(part).toMatchObject({ status: 206, body: 'x'.repeat(10) });
    expect((await ask(files.staticUrl('b.txt'))).body).toBe('b');
  });
});

describe('other deploys', () => {
  test('the names of earlier ones go on being answered', async () => {
    const { files, deploy, ask } = await siteOf({ 'a.css': CSS, 'dot.png': 'png' });
    const first = files.staticUrl('a.css');
    const second = (await deploy({ 'a.css': `${CSS} b {}` })).staticUrl('a.css');
    const third = await deploy({ 'a.css': `${CSS} c {}` });
    const later = await asking(third.handler);
    for (const url of [first, second, third.staticUrl('a.css')]) {
      const got = await later(url, { 'Accept-Encoding': 'br' });
      expect(got).toMatchObject({
        status: 200,
        headers: { 'cache-control': IMMUTABLE, 'content-encoding': 'br' },
      });
    }
    expect((await ask(first)).status).toBe(200);
  });

  test('those of a later one are answered, though URLs are still the earlier ones', async () => {
    const { files, deploy, ask } = await siteOf({ 'a.css': CSS, 'dot.png': 'png' });
    const first = files.staticUrl('a.css');
    expect((await ask(first)).status).toBe(200);
    const second = (await deploy({ 'a.css': `${CSS} b {}` })).staticUrl('a.css');
    expect((await ask(second)).body).toContain('b {}');
    expect(files.staticUrl('a.css')).toBe(first);
    expect((await ask('/static/a.css')).body).not.toContain('b {}');
  });

  test('refresh() turns to the new one', async () => {
    const { files, deploy, ask } = await siteOf({ 'a.css': CSS, 'dot.png': 'png' });
    const first = files.staticUrl('a.css');
    const before = await ask('/static/a.css');
    await deploy({ 'a.css': `${CSS} b {}` });
    await files.refresh();
    const after = await ask('/static/a.css');
    expect(after.body).toContain('b {}');
    expect(after.headers.etag).not.toBe(before.headers.etag);
    expect((await ask(first)).status).toBe(200);
  });

  test('refresh() forgets nothing where the manifest is as it was', async () => {
    const { collected, files, ask } = await siteOf({ 'a.txt': 'one' });
    const url = files.staticUrl('a.txt');
    await files.refresh(); // from now on it is known which it was
    expect((await ask(url)).body).toBe('one');
    rmSync(pathIn(collected, files, 'a.txt'));
    await files.refresh();
    expect(await ask(url)).toMatchObject({ status: 200, body: 'one' }); // in memory
  });

  test('a manifest is noticed by itself where storage looks for it', async () => {
    const { deploy, ask } = await siteOf(
      { 'a.txt': 'one' },
      { storage: hashedStorage({ refresh: '10ms' }) },
    );
    expect((await ask('/static/a.txt')).body).toBe('one');
    await deploy({ 'a.txt': 'two' });
    await expect.poll(async () => (await ask('/static/a.txt')).body).toBe('two');
  });

  test('are those whose manifests have the same name', async () => {
    const storage = hashedStorage({ manifestName: 'names.json' });
    const { collected, files, deploy, ask } = await siteOf({ 'a.txt': 'one' }, { storage });
    const first = files.staticUrl('a.txt');
    const latest = await deploy({ 'a.txt': 'two' });
    const another = {
      ...{ baseDir: project({ 'static/b.txt': 'theirs' }), dirs: ['static'], debug: false },
      ...{ staticRoot: collected, storage: hashedStorage() },
    };
    const theirs = createStaticFiles(another);
    await theirs.collect();
    const [askLatest, askThem] = [await asking(latest.handler), await asking(theirs.handler)];
    const warnings = await warningsOf(collected, async () => {
      expect((await askLatest(first)).body).toBe('one');
      expect((await ask(latest.staticUrl('a.txt'))).body).toBe('two');
      expect((await ask(theirs.staticUrl('b.txt'))).status).toBe(404);
      expect((await askThem(theirs.staticUrl('b.txt'))).body).toBe('theirs');
      expect((await askThem(first)).status).toBe(404);
    });
    expect(warnings).toEqual([]);
  });

  test('a manifest that cannot be read harms none but its own names', async () => {
    const { collected, files, ask } = await siteOf({ 'a.txt': 'one' });
    expect((await ask(files.staticUrl('a.txt'))).status).toBe(200);
    writeFileSync(join(collected, '.staticfiles/manifests/2026-broken.json'), '{');
    const warnings = await warningsOf(collected, async () => {
      expect((await ask('/static/none.000000000000.txt')).status).toBe(404);
    });
    expect(warnings).toEqual([expect.stringContaining('2026-broken.json is no JSON')]);
  });
});

describe('the manifest', () => {
  test('those that may not be read are none, and told', async () => {
    const { collected, files, ask } = await siteOf({ 'a.css': CSS, 'dot.png': 'png' });
    // What is no file cannot be read, by nobody.
    symlinkSync(collected, join(collected, '.staticfiles/manifests/2026-folder.json'));
    const warnings = await warningsOf(collected, async () => {
      expect((await ask('/static/none.css')).status).toBe(404);
      expect((await ask(files.staticUrl('a.css'))).status).toBe(200);
    });
    expect(warnings).toEqual([
      expect.stringMatching(/another deploy .*2026-folder\.json cannot be read: EISDIR/),
    ]);
  });

  test('may be of Django, which tells of no sizes and compressed forms', async () => {
    const baseDir = project({
      'c/a.5d41402abc4b.css': 'hello',
      'c/staticfiles.json': '{"paths": {"a.css": "a.5d41402abc4b.css"}, "version": "1.0"}',
    });
    const files = createStaticFiles({
      baseDir,
      staticRoot: 'c',
      storage: hashedStorage(),
      debug: false,
    });
    const ask = await asking(files.handler);
    expect(await ask('/static/a.5d41402abc4b.css')).toMatchObject({
      status: 200,
      body: 'hello',
      headers: { 'cache-control': IMMUTABLE, etag: '"5d41402abc4b-5"' },
    });
    expect((await ask('/static/a.css')).body).toBe('hello');
  });

  test('that is not there is an error for who runs the server', async () => {
    const files = createStaticFiles({
      baseDir: project({}),
      staticRoot: 'c',
      storage: hashedStorage(),
      debug: false,
    });
    const ask = await asking((request, response) => {
      files.handler(request, response, (error) => response.writeHead(500).end(String(error)));
    });
    expect(await ask('/static/a.css')).toMatchObject({
      status: 500,
      body: expect.stringContaining('Run collectstatic to write it'),
    });
  });

  test('is the only thing that answers are made of: the same after a restart', async () => {
    const { files, ask } = await siteOf({ 'a.css': CSS, 'dot.png': 'png' });
    const url = files.staticUrl('a.css');
    const again = await asking(
      createStaticFiles({ ...files.settings, mediaUrl: undefined }).handler,
    );
    for (const coding of ['br', 'gzip', 'identity']) {
      const headers = { 'Accept-Encoding': coding };
      const [first, second] = [await ask(url, headers), await again(url, headers)];
      expect({ ...second.headers, date: '' }).toEqual({ ...first.headers, date: '' });
    }
  });
});

describe('the setting headers', () => {
  test('is asked once a file, and its fields are sent', async () => {
    const headers = vi.fn((name: string, url: string) => ({ 'X-Of': `${name} ${url}` }));
    const { files, ask } = await siteOf(
      { 'a.css': CSS, 'dot.png': 'png' },
      { headers, staticUrl: 'https://cdn.example.com/s/' },
    );
    const { pathname } = new URL(files.staticUrl('a.css'));
    for (const coding of ['br', 'gzip', 'br']) {
      const got = await ask(pathname, { 'Accept-Encoding': coding });
      expect(got.headers['x-of']).toBe(`a.css ${files.staticUrl('a.css')}`);
    }
    expect(headers).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['what is no header field', () => ({ 'X-Bad': 'a\r\nb: c' })],
    ['what is no header field', () => ({ 'X Bad': 'a' })],
    ['the field Content-Length, which is not for it to say', () => ({ 'Content-Length': '1' })],
    ['the field transfer-encoding, which', () => ({ 'transfer-encoding': 'chunked' })],
    ['7, and must answer an object of header fields', () => 7],
    ['a promise; it must answer at once', () => Promise.reject(new Error('late'))],
  ])('that answers %s is an error that names the file', async (message, headers) => {
    const { files } = await siteOf({ 'a.css': 'x' }, { headers: headers as never });
    const ask = await asking((request, response) => {
      files.handler(request, response, (error) => response.writeHead(500).end(String(error)));
    });
    const got = await ask('/static/a.css');
    expect(got.status).toBe(500);
    expect(got.body).toContain(`The setting headers answers for 'a.css' ${message}`);
    expect(got.headers.b).toBeUndefined();
  });
});

test('the manifest is read with variants that are none as with none', async () => {
  const { collected, files } = await siteOf({ 'a.txt': 'one' });
  const path = join(collected, 'staticfiles.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  for (const variants of [7, [], { 'a.txt': 'br' }, { 'a.txt': { br: '9', gzip: -1, x: 3 } }]) {
    writeFileSync(path, JSON.stringify({ ...manifest, variants }));
    await files.refresh();
    const ask = await asking(files.handler);
    const got = await ask('/static/a.txt', { 'Accept-Encoding': 'br, gzip' });
    expect(got).toMatchObject({ status: 200, body: 'one' });
    expect(got.headers.vary).toBeUndefined();
  }
});
