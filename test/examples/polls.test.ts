import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createStaticFiles, loadConfig } from '../../src/index.js';
import { chromiumMissing, hasChromium, launchChromium } from '../chromium.js';
import { type Running, start } from '../process.js';
import { project } from '../project.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const example = `${root}examples/polls/`;
const picture = readFileSync(`${example}polls/static/polls/images/lake.jpg`);

/** What both pages consist of, besides themselves. */
const FILES = [
  '/media/avatars/ada.jpg',
  '/static/@picocss/pico/pico.jade.min.css',
  '/static/accounts/accounts.css',
  '/static/accounts/nobody.svg',
  '/static/brand/logo.svg',
  '/static/polls/images/lake.jpg',
  '/static/polls/images/waves.svg',
  '/static/polls/poll.css',
  '/static/polls/poll.js',
  '/static/polls/seasons/autumn.svg',
  '/static/polls/seasons/spring.svg',
  '/static/polls/seasons/summer.svg',
  '/static/polls/seasons/winter.svg',
  '/static/polls/votes.js',
];

if (!hasChromium) console.warn(`${chromiumMissing} The example is checked by HTTP alone.`);

describe.each(['live', 'collected'] as const)('the polls example, %s', (mode) => {
  test('prints the URLs of its two pages, and no other', async () => {
    const { server, urls } = await serve(mode);
    const { origin } = new URL(urls[0]);
    await statusesFrom(urls[0]);
    const printed = (server.out() + server.err()).match(/\S*(?:\/\/|localhost|127\.)\S*/g);
    expect(printed).toEqual([`${origin}/nunjucks/`, `${origin}/handlebars/`]);
  });

  test('answers every URL in its pages, stylesheets and scripts', async () => {
    const { urls } = await serve(mode);
    const expected = allFound(['/nunjucks/', '/handlebars/', ...FILES]);
    for (const url of urls) expect(unhashed(await statusesFrom(url), mode)).toEqual(expected);
  });

  test('serves the picture byte by byte, for caches to keep as the mode says', async () => {
    const { urls } = await serve(mode);
    const response = await fetch(new URL('/static/polls/images/lake.jpg', urls[0]));
    expect(response.headers.get('cache-control')).toBe(
      { live: 'no-cache', collected: 'public, max-age=60' }[mode],
    );
    expect(Buffer.from(await response.arrayBuffer()).equals(picture)).toBe(true);
  });

  test('has the same text in both engines', async () => {
    const { urls } = await serve(mode);
    const [nunjucks, handlebars] = await Promise.all(
      urls.map(async (url) => textOf(await (await fetch(url)).text())),
    );
    expect(nunjucks).toContain("Snow, if we're lucky.");
    expect(handlebars).toBe(nunjucks);
  });

  test.skipIf(!hasChromium)('is whole in Chromium, and counts a vote', async () => {
    const { urls } = await serve(mode);
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const texts: string[] = [];
    for (const url of urls) {
      const page = await browser.newPage();
      const { statuses, complaints } = watch(page);
      await page.goto(url, { waitUntil: 'load' });
      texts.push(await page.locator('body').innerText());

      const shown = await page
        .locator('figure img')
        .evaluate((img: { naturalWidth: number; naturalHeight: number }) => [
          img.naturalWidth,
          img.naturalHeight,
        ]);
      expect(shown).toEqual(jpegSize(picture));

      await page.getByLabel('Winter').check();
      await page.getByRole('button', { name: 'Vote' }).click();
      await expect
        .poll(() => page.getByRole('status').textContent())
        .toBe('Thank you: Winter has 10 of 80 votes.');
      expect(unhashed(Object.fromEntries(statuses), mode)).toEqual(
        allFound([new URL(url).pathname, ...FILES]),
      );
      expect(complaints).toEqual([]);
      await page.close();
    }
    expect(texts[0]).toContain('79 votes so far.');
    expect(texts[1]).toBe(texts[0]);
  });
});

test('the polls example takes a free port where its own is taken', async () => {
  const other = createTcpServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const taken = String((other.address() as AddressInfo).port);
  const { urls } = await serve('live', { PORT: taken });
  expect(new URL(urls[0]).port).not.toBe(taken);
  expect((await fetch(urls[0])).status).toBe(200);
});

test('the polls example exports its application, which serves no static files', async () => {
  const { default: app } = await import(`${example}app.js`);
  const server = createServer(app).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect((await fetch(`${origin}/`)).url).toBe(`${origin}/nunjucks/`);
  expect((await fetch(`${origin}/static/polls/poll.css`)).status).toBe(404);
});

/** The statuses by plain names; collected, every static file that a page refers to has a hash. */
function unhashed(statuses: Record<string, number>, mode: string): Record<string, number> {
  const hash = /\.[0-9a-f]{12}(?=\.[^./]+$)/;
  const plain = Object.entries(statuses).map(([path, status]) => {
    if (mode === 'collected' && path.startsWith('/static/')) expect(path).toMatch(hash);
    return [path.replace(hash, ''), status] as const;
  });
  return Object.fromEntries(plain);
}

/** Runs what `npm start` runs, and answers the URLs that it prints. */
async function serve(mode: 'live' | 'collected', env: Record<string, string> = {}) {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const [node, ...args] = String(scripts.start).split(' ');
  expect(node).toBe('node');
  const settings = mode === 'collected' ? await collected() : { NODE_ENV: 'development' };
  const server: Running = start(args, root, { PORT: '0', ...settings, ...env });
  await server.waitFor(/\S+\/handlebars\/\n/);
  const urls = server.out().match(/http\S+/g) as [string, string];
  return { server, urls };
}

/** Collects into a folder of the test, and answers the environment of a server of that. */
async function collected(): Promise<Record<string, string>> {
  const env = { STATIC_ROOT: project({}), NODE_ENV: 'production' };
  await createStaticFiles({ ...(await loadConfig({ cwd: example, env })), debug: false }).collect();
  return env;
}

/** Where a text of each type points to. */
const LINKS: Readonly<Record<string, RegExp>> = {
  'text/html': /\b(?:src|href)="([^"]+)"/g,
  'text/css': /\burl\("?(?!data:)([^")]+)"?\)/g,
  'text/javascript': /\bfrom '([^']+)'/g,
};

/** The statuses of a page and of all that it leads to, by path. */
async function statusesFrom(start: string): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  const waiting = [start];
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    const { pathname } = new URL(url);
    if (pathname in statuses) continue;
    const response = await fetch(url);
    statuses[pathname] = response.status;
    const text = await response.text();
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    for (const [, link = ''] of text.matchAll(LINKS[type] ?? /(?!)/g)) {
      waiting.push(new URL(link, url).href);
    }
  }
  return statuses;
}

function allFound(paths: readonly string[]): Record<string, number> {
  return Object.fromEntries(paths.map((path) => [path, 200]));
}

/** Writes down the answers that a page gets, and everything that goes wrong in it. */
function watch(page: Page) {
  const statuses = new Map<string, number>();
  const complaints: string[] = [];
  page.on('response', (response) => {
    statuses.set(new URL(response.url()).pathname, response.status());
  });
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  return { statuses, complaints };
}

/** The text of a page as a reader without a browser sees it. */
function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#(?:x([\da-f]+)|(\d+));/gi, (_, hex, decimal) =>
      String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal)),
    )
    .replace(
      /&(amp|lt|gt|quot);/g,
      (_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name as string] ?? '',
    )
    .replace(/\s+/g, ' ')
    .trim();
}

/** Width and height, from the frame header of a JPEG (ITU T.81, B.2.2). */
function jpegSize(bytes: Buffer): [width: number, height: number] {
  let at = 2;
  while (bytes.readUInt16BE(at) < 0xffc0 || bytes.readUInt16BE(at) > 0xffc2) {
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
}
