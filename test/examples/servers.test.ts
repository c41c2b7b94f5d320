import { describe, expect, onTestFinished, test } from 'vitest';
import { chromiumMissing, hasChromium, launchChromium } from '../chromium.js';
import { BIN, start } from '../process.js';
import { example } from './example.js';

const HASHED = /\.[\da-f]{12}\.\w+$/;

if (!hasChromium) console.warn(`${chromiumMissing} The servers are checked by HTTP alone.`);

describe.each(['express', 'koa', 'fastify', 'hono'])('the polls example on %s', (server) => {
  test('is whole in development', async () => {
    const origin = await serve(example(), server, 'development');
    for (const path of ['/nunjucks/', '/handlebars/']) {
      const files = await filesOf(origin + path);
      expect(files.filter(({ status }) => status !== 200)).toEqual([]);
      expect(files.filter(({ path }) => path.startsWith('/static/')).length).toBeGreaterThan(9);
      expect(files.filter(({ path }) => HASHED.test(path))).toEqual([]);
      expect(files.map(({ path }) => path)).toContain('/media/avatars/ada.jpg');
    }
  });

  test('is whole in production, where browsers may keep its files for good', async () => {
    const folder = example();
    await start([BIN, 'collectstatic', '--no-input'], folder).waitFor(/static files copied/);
    const origin = await serve(folder, server, 'production');
    for (const path of ['/nunjucks/', '/handlebars/']) {
      const files = await filesOf(origin + path);
      expect(files.filter(({ status }) => status !== 200)).toEqual([]);
      const hashed = files.filter(({ path }) => HASHED.test(path));
      expect(hashed.length).toBeGreaterThan(9);
      expect(hashed.filter(({ caching }) => !caching?.includes('immutable'))).toEqual([]);
      const others = files.map(({ path }) => path).filter((path) => !HASHED.test(path));
      expect(others).toEqual(['/media/avatars/ada.jpg']);
    }
  });

  test('leaves pages that are not there to the framework', async () => {
    const origin = await serve(example(), server, 'development');
    expect((await fetch(`${origin}/`)).url).toBe(`${origin}/nunjucks/`);
    const page = await fetch(`${origin}/nowhere`);
    expect(page.status).toBe(404);
    expect(page.headers.get('cache-control')).toBe(null);
    const file = await fetch(`${origin}/static/nowhere.css`);
    expect([file.status, file.headers.get('cache-control')]).toEqual([404, 'no-store']);
  });

  test.skipIf(!hasChromium)('is loaded once by Chromium, and then kept', async () => {
    const folder = example();
    await start([BIN, 'collectstatic', '--no-input'], folder).waitFor(/static files copied/);
    const origin = await serve(folder, server, 'production');
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const context = await browser.newContext();
    const visit = async () => {
      const page = await context.newPage();
      const network = await context.newCDPSession(page);
      await network.send('Network.enable');
      const asked: string[] = [];
      const failed: string[] = [];
      network.on('Network.responseReceived', ({ response }) => {
        if (response.status >= 400) failed.push(response.url);
        if (!response.fromDiskCache) asked.push(new URL(response.url).pathname);
      });
      page.on('requestfailed', (request) => failed.push(request.url()));
      await page.goto(`${origin}/nunjucks/`, { waitUntil: 'load' });
      await page.waitForLoadState('networkidle');
      expect(failed).toEqual([]);
      await page.close();
      return asked;
    };
    expect((await visit()).filter((path) => HASHED.test(path)).length).toBeGreaterThan(9);
    expect((await visit()).filter((path) => HASHED.test(path))).toEqual([]);
  });
});

async function serve(folder: string, server: string, NODE_ENV: string): Promise<string> {
  const running = start([`servers/${server}.js`], folder, { PORT: '0', NODE_ENV });
  const [, origin = ''] = await running.waitFor(/^(http:\S+)\/\n/m);
  return origin;
}

/** The files that a page names itself. */
async function filesOf(url: string) {
  const page = await fetch(url);
  expect([page.status, page.headers.get('content-type')?.toLowerCase()]).toEqual([
    200,
    'text/html; charset=utf-8',
  ]);
  const links = (await page.text()).matchAll(/\b(?:src|href)="([^"]+\.\w+)"/g);
  const paths = new Set([...links].map(([, link = '']) => new URL(link, url).pathname));
  return Promise.all(
    [...paths].map(async (path) => {
      const { status, headers } = await fetch(new URL(path, url));
      return { path, status, caching: headers.get('cache-control') };
    }),
  );
}
