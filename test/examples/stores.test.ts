import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { chromiumMissing, hasChromium, launchChromium } from '../chromium.js';
import { BIN, type Running, start } from '../process.js';
import { add } from '../project.js';
import { swiftMissing, withoutSwift } from '../swift.js';
import { example } from './example.js';
import { azureStore, type Store, swiftStore } from './stores.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a page is made of that comes from the store, by plain names, with its type. */
const FILES: Readonly<Record<string, string>> = {
  '@picocss/pico/pico.jade.min.css': 'text/css; charset=utf-8',
  'accounts/accounts.css': 'text/css; charset=utf-8',
  'accounts/icons.woff2': 'font/woff2',
  'accounts/nobody.svg': 'image/svg+xml; charset=utf-8',
  'brand/logo.svg': 'image/svg+xml; charset=utf-8',
  'polls/images/lake.jpg': 'image/jpeg',
  'polls/images/waves.svg': 'image/svg+xml; charset=utf-8',
  'polls/poll.css': 'text/css; charset=utf-8',
  'polls/poll.js': 'text/javascript; charset=utf-8',
  'polls/seasons/autumn.svg': 'image/svg+xml; charset=utf-8',
  'polls/seasons/spring.svg': 'image/svg+xml; charset=utf-8',
  'polls/seasons/summer.svg': 'image/svg+xml; charset=utf-8',
  'polls/seasons/winter.svg': 'image/svg+xml; charset=utf-8',
  'polls/votes.js': 'text/javascript; charset=utf-8',
};

const HASH = /\.[\da-f]{12}(?=\.\w+$)/;
const IMMUTABLE = 'public, max-age=315360000, immutable';
const TIMEOUT_MS = 300_000;

if (!hasChromium) console.warn(`${chromiumMissing} The example is not deployed to stores.`);
const withoutChromium = hasChromium
  ? ''
  : ' (skipped: no Chromium here; test/setup.sh installs it)';

describe.each([
  { place: `Swift${withoutSwift}`, store: swiftStore, isMissing: swiftMissing !== undefined },
  { place: 'Azurite', store: azureStore, isMissing: false },
])('the polls example in $place', ({ store: newStore, isMissing }) => {
  test.skipIf(isMissing || !hasChromium)(
    `is whole in Chromium, and follows the next deploy${withoutChromium}`,
    async () => {
      const store = await newStore();
      const folder = deployable(store);
      await collect(folder, store);
      const { origin } = await serve(folder, store);
      const browser = await launchChromium();
      onTestFinished(() => browser.close());
      for (const engine of ['nunjucks', 'handlebars']) {
        const page = await browser.newPage();
        const answers = watch(page);
        await page.goto(`${origin}/${engine}/`, { waitUntil: 'load' });
        await expectWhole(page);
        await expect.poll(() => answers.from(store.publicUrl)).toEqual(FILES);
        expect(answers.complaints).toEqual([]);
        expect(answers.elsewhere(store.publicUrl)).toEqual([
          `${origin}/${engine}/`,
          `${origin}/media/avatars/ada.jpg`,
        ]);
        await page.close();
      }

      const before = await stylesheet(`${origin}/nunjucks/`);
      append(folder, 'accounts/static/accounts/accounts.css', 'body{caret-color:rgb(1,2,3)}');
      const { sent } = await collect(folder, store);
      expect(sent).toBe('4 objects'); // plain, hashed, and that one as .br and .gz
      for (const engine of ['nunjucks', 'handlebars']) {
        const after = await changed(`${origin}/${engine}/`, before);
        expect((await fetch(after)).status).toBe(200);
        expect((await fetch(before)).status).toBe(200); // a page may be open still
        const page = await browser.newPage();
        await page.goto(`${origin}/${engine}/`);
        expect(await style(page, 'caret-color')).toBe('rgb(1, 2, 3)');
      }
    },
    TIMEOUT_MS,
  );

  test.skipIf(isMissing || !hasChromium)(
    `is whole in development, and asks no store${withoutChromium}`,
    async () => {
      const store = await newStore();
      const folder = deployable(store);
      const server = start([BIN, 'runserver', '0', 'app.js'], folder, store.env);
      const [, url = ''] = await server.waitFor(/Development server at (\S+)\n/);
      const browser = await launchChromium();
      onTestFinished(() => browser.close());
      for (const engine of ['nunjucks', 'handlebars']) {
        const page = await browser.newPage();
        const answers = watch(page);
        await page.goto(`${url}${engine}/`, { waitUntil: 'load' });
        await expectWhole(page);
        const names = () => {
          const files = answers.all().filter((asked) => asked.startsWith(`${url}static/`));
          return files.map((asked) => asked.slice(`${url}static/`.length));
        };
        await expect.poll(names).toEqual(Object.keys(FILES));
        expect(answers.complaints).toEqual([]);
        await page.close();
      }
      expect(store.proxy.requests).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

/** The example with one line of its configuration changed, and with a font in one of its files. */
function deployable({ imports, option }: Store): string {
  const folder = example();
  const config = join(folder, 'staticfiles.config.js');
  const line = 'storage: hashedStorage(),';
  const source = readFileSync(config, 'utf8');
  expect(source.split(line)).toHaveLength(2);
  const changed = `storage: hashedStorage({ over: ${option}, refresh: '200ms' }),`;
  writeFileSync(config, `${imports}\n${source.replace(line, changed)}`);
  copyFileSync(
    join(root, 'node_modules/bootstrap-icons/font/fonts/bootstrap-icons.woff2'),
    join(folder, 'accounts/static/accounts/icons.woff2'),
  );
  append(
    folder,
    'accounts/static/accounts/accounts.css',
    `@font-face{font-family:icons;src:url("icons.woff2")}
    body > footer::after{font-family:icons;content:"\\f287"}`,
  );
  return folder;
}

function append(folder: string, name: string, text: string): void {
  add(folder, { [name]: `${readFileSync(join(folder, name), 'utf8')}\n${text}\n` });
}

async function collect(folder: string, { env }: Store) {
  const running = start([BIN, 'collectstatic', '--no-input'], folder, env);
  const [, sent = ''] = await running.waitFor(/(\d+ objects?) \(.*\) sent\.\n/);
  return { sent };
}

/** Runs the example's server as it is deployed. */
async function serve(folder: string, { env }: Store) {
  const server: Running = start(['server.js'], folder, {
    ...env,
    NODE_ENV: 'production',
    PORT: '0',
  });
  const [, origin = ''] = await server.waitFor(/(http:\S+)\/handlebars\/\n/);
  return { origin };
}

/** Writes down what a page is answered, and everything that goes wrong in it. */
function watch(page: Page) {
  const answers = new Map<string, { type: string; caching: string }>();
  const complaints: string[] = [];
  page.on('response', (response) => {
    const { 'content-type': type = '', 'cache-control': caching = '' } = response.headers();
    if (response.status() !== 200) complaints.push(`${response.url()}: ${response.status()}`);
    answers.set(response.url(), { type, caching });
  });
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  return {
    complaints,
    all: () => [...answers.keys()].sort(),
    /** The types by plain names; each has a hash, and may be kept for good. */
    from(base: string): Record<string, string> {
      const found = [...answers].filter(([url]) => url.startsWith(base));
      for (const [url, { caching }] of found) {
        expect(url).toMatch(HASH);
        expect(caching, url).toBe(IMMUTABLE);
      }
      return Object.fromEntries(
        found.map(([url, { type }]) => [url.slice(base.length).replace(HASH, ''), type]),
      );
    },
    elsewhere: (base: string) => [...answers.keys()].filter((url) => !url.startsWith(base)),
  };
}

/** Pictures, the font, stylesheets and modules have come, and work. */
async function expectWhole(page: Page): Promise<void> {
  // Networks that are quiet may be so because the machine is busy: each thing is waited for.
  const pictures = () =>
    page
      .locator('img')
      .evaluateAll((images) =>
        (images as unknown as { naturalWidth: number }[]).map((image) => image.naturalWidth > 0),
      );
  await expect.poll(pictures).not.toContain(false);
  expect((await pictures()).length).toBeGreaterThan(7);
  await expect.poll(() => page.evaluate("document.fonts.check('16px icons')")).toBe(true);
  expect(await style(page, 'background-image')).toMatch(/images\/waves\.\S*svg"\)$/);
  await page.getByLabel('Winter').check();
  await page.getByRole('button', { name: 'Vote' }).click();
  await expect
    .poll(() => page.getByRole('status').textContent())
    .toBe('Thank you: Winter has 10 of 80 votes.');
}

function style(page: Page, property: string): Promise<string> {
  return page.evaluate(`getComputedStyle(document.body).getPropertyValue('${property}')`);
}

/** The address of a stylesheet, as a page has it. */
async function stylesheet(url: string): Promise<string> {
  const page = await (await fetch(url)).text();
  return /href="([^"]+accounts\/accounts\.[^"]+)"/.exec(page)?.[1] ?? '';
}

/** The same, when it is another one than before: the server looks again by itself. */
async function changed(url: string, before: string): Promise<string> {
  for (;;) {
    const now = await stylesheet(url);
    if (now !== before) return now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
