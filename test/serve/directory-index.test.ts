import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { directoryIndex, INDEX_POLICY, type IndexEntry } from '../../src/serve/directory-index.js';
import { chromiumMissing, hasChromium, launchChromium } from '../chromium.js';

const MTIME = Date.UTC(2026, 6, 1, 9, 5, 59);

function file(name: string, size = 1, mtimeMs = MTIME): IndexEntry {
  return { name, isFolder: false, size, mtimeMs };
}

function folder(name: string): IndexEntry {
  return { name, isFolder: true, size: 4096, mtimeMs: MTIME };
}

const linksIn = (page: string) =>
  [...page.matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)].map(([, href, text]) => [href, text]);

const namesIn = (page: string) => linksIn(page).map(([, text]) => text);

describe('the page of a folder', () => {
  test('is HTML with a title, a language and no script', () => {
    const page = directoryIndex('/media/', [file('a.jpg')]);
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n/);
    expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(page).toContain('<title>Index of /media/</title>');
    expect(page).toContain('<h1>Index of /media/</h1>');
    expect(page).not.toMatch(/<script|<link|<img|\son\w+=|\bstyle=|url\(|@import/i);
  });

  test.each([
    ['/', []],
    ['/media/', [['../', '../']]],
    ['/media/a/b/', [['../', '../']]],
  ])('of %s links to the one above, where there is one', (path, links) => {
    expect(linksIn(directoryIndex(path, []))).toEqual(links);
    expect(directoryIndex(path, [])).toContain('This folder is empty.');
    expect(directoryIndex(path, [file('a')])).not.toContain('empty');
  });

  test('names folders first, and counts numbers in names', () => {
    const entries = ['b10.txt', 'B2.txt', 'a.txt', 'b1.txt', 'ä.txt', 'z'].map((name) =>
      file(name),
    );
    const given = [...entries, folder('v10'), folder('v9')];
    expect(namesIn(directoryIndex('/', given))).toEqual([
      'v9/',
      'v10/',
      'a.txt',
      'ä.txt',
      'b1.txt',
      'B2.txt',
      'b10.txt',
      'z',
    ]);
    expect(given[0]?.name).toBe('b10.txt');
  });

  test('leaves out what is hidden, and what no URL leads to', () => {
    const names = ['.git', '.env', '.', '..', '', 'a\\b', 'a/b', 'half\ud800', 'seen'];
    expect(
      namesIn(
        directoryIndex(
          '/',
          names.map((name) => file(name)),
        ),
      ),
    ).toEqual(['seen']);
    expect(namesIn(directoryIndex('/', names.map(folder)))).toEqual(['seen/']);
  });

  test.each([
    ['a b.txt', 'a%20b.txt', 'a b.txt'],
    ['100%.txt', '100%25.txt', '100%.txt'],
    ['%2e%2e', '%252e%252e', '%2e%2e'],
    ['a?b#c', 'a%3Fb%23c', 'a?b#c'],
    ['"><img src=x>', '%22%3E%3Cimg%20src=x%3E', '&quot;&gt;&lt;img src=x&gt;'],
    ["it's & so", 'it&#39;s%20&amp;%20so', 'it&#39;s &amp; so'],
    ['&lt;', '&amp;lt;', '&amp;lt;'],
    ['javascript:alert(1)', './javascript:alert(1)', 'javascript:alert(1)'],
    ['http:', './http:', 'http:'],
    ['größe ☃.txt', 'gr%C3%B6%C3%9Fe%20%E2%98%83.txt', 'größe ☃.txt'],
    ['😀', '%F0%9F%98%80', '😀'],
    ['line\r\nfeed\t\u007f\u0085', 'line%0D%0Afeed%09%7F%C2%85', 'line␍␊feed␉␡\ufffd'],
    ['a\u202egpj.exe', 'a%E2%80%AEgpj.exe', 'a\ufffdgpj.exe'],
    ['__proto__', '__proto__', '__proto__'],
  ])('links to %j', (name, href, text) => {
    expect(linksIn(directoryIndex('/', [file(name)]))).toEqual([[href, text]]);
    expect(linksIn(directoryIndex('/', [folder(name)]))).toEqual([[`${href}/`, `${text}/`]]);
    expect(directoryIndex(`/${name}/`, [])).toContain(`<title>Index of /${text}/</title>`);
  });

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1234, '1.2 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [5_432_100, '5.4 MB'],
    [2 ** 40, '1.1 TB'],
    [Number.MAX_SAFE_INTEGER, '9.0 PB'],
  ])('says of %d bytes: %s', (size, amount) => {
    expect(directoryIndex('/', [file('a', size)])).toContain(`</a><td>${amount}<td>`);
    expect(directoryIndex('/', [{ ...folder('a'), size }])).toContain('</a><td><td>');
  });

  test.each([
    [MTIME, '<time datetime="2026-07-01T09:05:59.000Z">2026-07-01 09:05</time>'],
    [0, '<time datetime="1970-01-01T00:00:00.000Z">1970-01-01 00:00</time>'],
    [-1, '<time datetime="1969-12-31T23:59:59.999Z">1969-12-31 23:59</time>'],
    [Number.NaN, ''],
    [8.64e15, ''],
    [1e300, ''],
  ])('says of the time %d: %s', (mtimeMs, time) => {
    expect(directoryIndex('/', [file('a', 1, mtimeMs)])).toContain(`<td>1 B<td>${time}\n`);
  });
});

const why = hasChromium ? '' : ` (skipped: ${chromiumMissing})`;
describe.runIf(hasChromium)(`in a real browser${why}`, () => {
  const names = [
    'plain.txt',
    '100%.txt',
    '%2e%2e',
    'a?b#c',
    '"><img src=x onerror=alert(1)>',
    '<script>alert(1)<b>',
    "it's & so",
    'javascript:alert(1)',
    'größe ☃.txt',
    'line\nfeed',
    ' spaces  around ',
    'mailto:x@example.com',
  ];

  test('each name leads to its file, under a strict policy, in both colour schemes', async () => {
    const asked: string[] = [];
    const listed = directoryIndex('/media/<b>/', [
      ...names.map((name) => file(name)),
      folder('sub?'),
    ]);
    const server = createServer((request, response) => {
      const path = decodeURIComponent((request.url ?? '').replace(/[?#].*/, ''));
      const headers = { 'Content-Security-Policy': INDEX_POLICY };
      if (path === '/media/<b>/') {
        response.writeHead(200, { ...headers, 'Content-Type': 'text/html' }).end(listed);
      } else {
        if (path !== '/favicon.ico') asked.push(path);
        response.writeHead(200, { ...headers, 'Content-Type': 'text/plain' }).end('a file');
      }
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/media/%3Cb%3E/`;

    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => complaints.push(dialog.message()));
    await page.goto(url);
    expect(await page.title()).toBe('Index of /media/<b>/');
    expect(await page.locator('script, img').count()).toBe(0);
    expect(await page.locator('tbody tr').count()).toBe(names.length + 2);
    expect(await page.evaluate('document.compatMode')).toBe('CSS1Compat');
    expect(await page.locator('td a').evaluateAll((all) => all.map((a) => a.textContent))).toEqual(
      namesIn(listed).map((text) => unescaped(text ?? '')),
    );
    for (let at = 0; at < names.length + 2; at++) {
      await page.goto(url);
      await page.locator('td a').nth(at).click();
      await page.waitForURL((now) => now.href !== url);
    }
    const expected = ['/media/', '/media/<b>/sub?/', ...names.map((name) => `/media/<b>/${name}`)];
    expect(asked.sort()).toEqual(expected.sort());

    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.goto(url);
      expect(await page.locator('h1').evaluate(contrast)).toBeGreaterThan(7);
      expect(await page.locator('td a').first().evaluate(contrast)).toBeGreaterThan(4.5);
    }
    expect(complaints).toEqual([]);
  });
});

const unescaped = (text: string) =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => {
    return { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }[name as string] ?? '';
  });

/** What is used of the browser's globals, which this program has not. */
interface BrowserGlobals {
  getComputedStyle(element: unknown): { color: string; backgroundColor: string };
  readonly document: {
    createElement(tag: string): { style: { backgroundColor: string }; remove(): void };
    readonly body: { append(element: unknown): void };
  };
}

/** Of the text of an element with the page behind it; WCAG 2.2, 1.4.3. Runs in the browser. */
function contrast(element: unknown): number {
  const { getComputedStyle, document } = globalThis as unknown as BrowserGlobals;
  const probe = document.createElement('div');
  probe.style.backgroundColor = 'Canvas';
  document.body.append(probe);
  const colours = [getComputedStyle(element).color, getComputedStyle(probe).backgroundColor];
  probe.remove();
  const [a = 0, b = 0] = colours.map((colour: string) => {
    const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
      const value = Number(part) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  });
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
