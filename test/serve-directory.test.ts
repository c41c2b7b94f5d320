import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { SetupError } from '../src/errors.js';
import { serveDirectory } from '../src/serve-directory.js';
import { project } from './project.js';
import { asking } from './serve/ask.js';
import { thrownBy } from './thrown.js';
import { warnings } from './warnings.js';

const FILES = {
  'folder/a.txt': 'text',
  'folder/sub/<b>.txt': 'b',
  'secret.txt': 'secret',
};

async function siteOf(options: Record<string, unknown> = {}, prefix = '/files/') {
  const base = project(FILES);
  const handler = serveDirectory(prefix, { root: join(base, 'folder'), debug: true, ...options });
  const ask = await asking((request, response) =>
    handler(request, response, () => response.end(`next ${request.url}`)),
  );
  return { base, ask, handler };
}

describe('serveDirectory()', () => {
  test('serves files as they are, by live rules', async () => {
    const { ask } = await siteOf();
    expect(await ask('/files/a.txt')).toMatchObject({
      status: 200,
      body: 'text',
      headers: { 'cache-control': 'no-cache', 'content-type': 'text/plain; charset=utf-8' },
    });
    expect((await ask('/files/sub/%3Cb%3E.txt')).body).toBe('b');
    expect((await ask('/files/none.txt')).status).toBe(404);
    expect((await ask('/files/..%2fsecret.txt')).status).toBe(404);
    expect((await ask('/other')).body).toBe('next /other');
  });

  test('does not follow links out of the folder', async () => {
    const { base, ask } = await siteOf({ showIndexes: true });
    symlinkSync(join(base, 'secret.txt'), join(base, 'folder/link.txt'));
    symlinkSync(base, join(base, 'folder/up'));
    const heard = warnings(base);
    expect((await ask('/files/link.txt')).status).toBe(404);
    expect((await ask('/files/up/')).status).toBe(404);
    expect((await ask('/files/up/secret.txt')).status).toBe(404);
    expect(heard).toHaveLength(3);
  });

  test('lists folders only where that is wished', async () => {
    expect((await (await siteOf()).ask('/files/')).status).toBe(404);
    const { ask } = await siteOf({ showIndexes: true });
    const page = await ask('/files/');
    expect(page).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8' },
    });
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.body).toContain('href="sub/"');
    expect(page.body).toContain('href="a.txt"');
    expect((await ask('/files/sub/')).body).toContain('&lt;b&gt;.txt');
    expect((await ask('/files/', {}, 'HEAD')).body).toBe('');
  });

  test('sends who asks for a folder without its slash to the one with', async () => {
    const { ask } = await siteOf({ showIndexes: true });
    expect(await ask('/files/sub')).toMatchObject({
      status: 302,
      headers: { location: '/files/sub/' },
    });
  });

  test('answers a Request', async () => {
    const { handler } = await siteOf();
    const response = await handler.fetch(new Request('http://localhost/files/a.txt'));
    expect(await response?.text()).toBe('text');
    expect(await handler.fetch(new Request('http://localhost/other'))).toBeUndefined();
  });

  test.each([
    [{ debug: false }, '/files/'],
    [{}, 'https://media.example.com/files/'],
    [{}, '//media.example.com/files/'],
  ])('does nothing with %j at %s', async (options, prefix) => {
    const { ask, handler } = await siteOf(options, prefix);
    expect((await ask('/files/a.txt')).body).toBe('next /files/a.txt');
    expect(await handler.fetch(new Request('http://localhost/files/a.txt'))).toBeUndefined();
  });

  test('does nothing in production by itself', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const { ask } = await siteOf({ debug: undefined });
    vi.unstubAllEnvs();
    expect((await ask('/files/a.txt')).body).toBe('next /files/a.txt');
  });

  test.each<[unknown, unknown, string]>([
    ['/files', { root: '.' }, "prefix must end in a slash, such as '/media/': '/files'."],
    ['', { root: '.' }, 'must end in a slash'],
    [undefined, { root: '.' }, 'must be a string'],
    ['/files/', {}, 'root must be the path of a folder'],
    ['/files/', { root: '.', index: true }, "'index' is no option of serveDirectory()"],
    ['/files/', undefined, 'takes an object of options'],
  ])('refuses %j, %j', (prefix, options, message) => {
    const error = thrownBy(() => serveDirectory(prefix as never, options as never));
    expect(error).toBeInstanceOf(SetupError);
    expect((error as Error).message).toContain(message);
  });
});
