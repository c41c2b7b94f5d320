import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chromiumMissing, hasChromium, launchChromium } from '../chromium.js';
import { BIN, start } from '../process.js';
import { project, replace } from '../project.js';

const staticfiles = JSON.stringify(new URL('../../dist/src/index.js', import.meta.url).href);

const CONFIG = 'export default { dirs: ["static"] };';

/** Answers the template with what stands in it; the mark is made anew in each process. */
const APP = `
import { readFileSync } from 'node:fs';
const page = readFileSync(new URL('views/page.html', import.meta.url));
export default (request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': "default-src 'self'" });
  response.end(page);
};`;

const PAGE = `<!doctype html><title>Page</title>
<link rel="stylesheet" href="/static/site/a.css?v=1" integrity="">
<link rel="stylesheet" href="/static/b.css">
<script src="/static/site.js"></script>
<body><h1>First</h1><p>Text</p><input id="name"><div></div></body>`;

const FILES = {
  'staticfiles.config.mjs': CONFIG,
  'app.mjs': APP,
  'views/page.html': PAGE,
  'static/site/a.css': 'h1 { color: rgb(1, 1, 1) }',
  'static/b.css': '@import "parts/c.css"; div { height: 3000px }',
  'static/parts/c.css': '@import url("d.css") screen; input { color: rgb(3, 3, 3) }',
  'static/parts/d.css': 'div { color: rgb(4, 4, 4) }',
  'static/site.js': 'window.script = 1;',
};

async function serve(root: string, args: string[] = ['app.mjs'], env?: Record<string, string>) {
  const server = start([BIN, 'runserver', '0', ...args], root, env);
  const [, url = ''] = await server.waitFor(/Development server at (http:\S+)\n/);
  return { server, url };
}

const colorOf = (page: Page, selector: string) =>
  page.evaluate(`getComputedStyle(document.querySelector('${selector}')).color`);

/** Machines may be slow. */
const eventually = <T>(get: () => T) => expect.poll(get);

/** Marks this very page, so that a reload shows. */
async function mark(page: Page): Promise<void> {
  await page.evaluate('window.mark = true');
}

const marked = (page: Page) => page.evaluate("'mark' in window");

/** Answers when the page has been made anew. */
async function reloaded(page: Page): Promise<void> {
  const isNew = "!('mark' in window) && document.readyState === 'complete'";
  // While it goes from one document to the next there is none to ask.
  await eventually(() => page.evaluate(isNew).catch(() => false)).toBe(true);
}

if (!hasChromium) console.warn(`${chromiumMissing} Nobody looks how pages reload.`);

describe.skipIf(!hasChromium)('runserver, and Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  /** The page, once its script has told the server of it. */
  async function open(url: string): Promise<Page> {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const connected = page.waitForResponse(/\.staticfiles\/events/);
    await page.goto(url);
    await connected;
    await mark(page);
    return page;
  }

  it('reloads a page when its template changes', async () => {
    const root = project(FILES);
    const { server, url } = await serve(root);
    const page = await open(url);
    replace(root, { 'views/page.html': PAGE.replace('First', 'Second') });
    await reloaded(page);
    expect(await page.locator('h1').innerText()).toBe('Second');
    expect(server.out().match(/http:\S+/g)).toEqual([url, url]);
    expect(server.out()).toContain('Pages reload in the browser when a file changes.\n');
    expect(server.out() + server.err()).not.toContain('.staticfiles');
  });

  it('swaps a stylesheet, and nothing else of the page changes', async () => {
    const root = project(FILES);
    const { url } = await serve(root);
    const page = await open(url);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.fill('#name', 'Ada');
    await page.evaluate(`
      scrollTo(0, 700);
      window.seen = new Set();
      const heading = document.querySelector('h1');
      (function look() {
        seen.add(getComputedStyle(heading).color);
        requestAnimationFrame(look);
      })();
    `);
    for (const color of ['rgb(9, 9, 9)', 'rgb(8, 8, 8)']) {
      replace(root, { 'static/site/a.css': `h1 { color: ${color} }` });
      // By a frame of the page, which may come later than the style.
      await eventually(() => page.evaluate('[...seen].at(-1)')).toBe(color);
    }
    expect(await marked(page)).toBe(true);
    expect(await page.inputValue('#name')).toBe('Ada');
    expect(await page.evaluate('scrollY')).toBe(700);
    expect(await page.evaluate('[...seen]')).toEqual([
      'rgb(1, 1, 1)',
      'rgb(9, 9, 9)',
      'rgb(8, 8, 8)',
    ]);
    expect(asked).toEqual(['/static/site/a.css', '/static/site/a.css']);
    const links = await page.evaluate('[...document.styleSheets].map((sheet) => sheet.href)');
    expect(links).toEqual([
      expect.stringMatching(/\/static\/site\/a\.css\?v=1&staticfiles-reload=\d+$/),
      `${url}static/b.css`,
    ]);
  });

  it.each([
    ['imported', 'static/parts/c.css', 'input', 'rgb(3, 3, 3)'],
    ['imported by one that is imported', 'static/parts/d.css', 'div', 'rgb(4, 4, 4)'],
  ])('swaps the stylesheet by which another is %s', async (_, file, selector, before) => {
    const root = project(FILES);
    const { url } = await serve(root);
    const page = await open(url);
    expect(await colorOf(page, selector)).toBe(before);
    for (const color of ['rgb(9, 9, 9)', 'rgb(8, 8, 8)']) {
      replace(root, { [file]: `${selector} { color: ${color} }` });
      await eventually(() => colorOf(page, selector)).toBe(color);
    }
    expect(await marked(page)).toBe(true);
  });

  it('swaps what a style element imports', async () => {
    const root = project({
      ...FILES,
      'app.mjs': APP.replace('"default-src \'self\'"', "\"default-src 'self' 'unsafe-inline'\""),
      'views/page.html': `<!doctype html><style>@import "/static/parts/c.css";</style><input>`,
    });
    const { url } = await serve(root);
    const page = await open(url);
    replace(root, { 'static/parts/c.css': 'input { color: rgb(9, 9, 9) }' });
    await eventually(() => colorOf(page, 'input')).toBe('rgb(9, 9, 9)');
    expect(await marked(page)).toBe(true);
    expect(await page.locator('style').count()).toBe(1);
  });

  it.each([
    ['a static script', { 'static/site.js': 'window.script = 2;' }],
    ['a new file', { 'static/img/new.svg': '<svg/>' }],
    ['a stylesheet and a picture', { 'static/site/a.css': '', 'static/x.svg': '<svg/>' }],
  ])('reloads a page for %s', async (_, change) => {
    const root = project(FILES);
    const { server, url } = await serve(root);
    const page = await open(url);
    replace(root, change);
    await reloaded(page);
    expect(server.err()).not.toContain('starting again');
  });

  it('reloads a page when a file is gone', async () => {
    const root = project(FILES);
    const { url } = await serve(root);
    const page = await open(url);
    rmSync(join(root, 'static/site.js'));
    await reloaded(page);
    expect(await page.evaluate("'script' in window")).toBe(false);
  });

  it('waits for an application that does not start, and reloads once when it does', async () => {
    const root = project(FILES);
    const { server, url } = await serve(root);
    const page = await open(url);
    let loads = 0;
    page.on('load', () => {
      loads++;
    });
    replace(root, { 'app.mjs': 'export default (;' });
    await server.waitFor(/starts again when a file changes/);
    await page.waitForTimeout(1000);
    expect(await marked(page)).toBe(true);
    replace(root, { 'app.mjs': APP.replace('.end(page)', '.end("<h1>Second</h1>")') });
    await reloaded(page);
    expect(await page.locator('h1').innerText()).toBe('Second');
    await page.waitForTimeout(1000);
    expect(loads).toBe(1);
  });

  it('waits for the server where source and static files change together', async () => {
    const root = project(FILES);
    const { url } = await serve(root);
    const page = await open(url);
    for (const title of ['Second', 'Third', 'Fourth']) {
      await mark(page);
      replace(root, { 'static/site.js': title, 'views/page.html': PAGE.replace('First', title) });
      await eventually(() => page.locator('h1').innerText()).toBe(title);
      await reloaded(page);
    }
  });

  it('reloads the page of an error when that is mended', async () => {
    const throws = 'export default () => { throw new Error("broken"); };';
    const root = project({ ...FILES, 'app.mjs': throws });
    const { url } = await serve(root);
    const page = await open(url);
    expect(await page.locator('body').innerText()).toContain('Internal server error');
    replace(root, { 'app.mjs': APP });
    await reloaded(page);
    expect(await page.locator('h1').innerText()).toBe('First');
  });

  it('does not reload for ever where the script comes from a cache', async () => {
    const { url } = await serve(project(FILES));
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    let loads = 0;
    page.on('load', () => {
      loads++;
    });
    await page.route('**/.staticfiles/reload.js', async (route) => {
      const script = await (await route.fetch()).text();
      await route.fulfill({
        contentType: 'text/javascript',
        body: script.replace(/state = "[^"]+"/, 'state = "old.0"'),
      });
    });
    await page.goto(url);
    await eventually(() => loads).toBe(2);
    await page.waitForTimeout(1000);
    expect(loads).toBe(2);
  });

  it('tells every page, and lets none complain', async () => {
    const root = project(FILES);
    const { url } = await serve(root);
    const pages = [await open(url), await open(url), await open(url)];
    const complaints: string[] = [];
    for (const page of pages) {
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
    }
    replace(root, { 'static/site/a.css': 'h1 { color: rgb(9, 9, 9) }' });
    for (const page of pages) await eventually(() => colorOf(page, 'h1')).toBe('rgb(9, 9, 9)');
    replace(root, { 'static/site.js': '' });
    for (const page of pages) await reloaded(page);
    expect(complaints).toEqual([]);
  });

  it('keeps no connection for a page that is hidden, and tells it afterwards', async () => {
    const root = project(FILES);
    const { url } = await serve(root);
    const page = await open(url);
    const streams = await connectionsOf(page);
    expect(streams.size).toBe(1);
    await show(page, 'hidden');
    await eventually(() => streams.size).toBe(0);
    replace(root, { 'static/site/a.css': 'h1 { color: rgb(9, 9, 9) }' });
    await page.waitForTimeout(500);
    expect(await colorOf(page, 'h1')).toBe('rgb(1, 1, 1)');
    await show(page, 'visible');
    await eventually(() => colorOf(page, 'h1')).toBe('rgb(9, 9, 9)');
    expect(await marked(page)).toBe(true);
    await show(page, 'hidden');
    replace(root, { 'static/site.js': '' });
    await page.waitForTimeout(500);
    await show(page, 'visible');
    await reloaded(page);
  });

  it('leaves alone what a page does not use, and what is of another origin', async () => {
    const root = project({ ...FILES, 'static/unused.css': '' });
    const other = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/css' }).end('p { color: rgb(5, 5, 5) }');
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    replace(root, {
      'app.mjs': APP.replace('"default-src \'self\'"', "'style-src *'"),
      'views/page.html': `${PAGE}<link rel="stylesheet" href="http://127.0.0.1:${port}/static/site/a.css">`,
    });
    const { url } = await serve(root);
    const page = await open(url);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    replace(root, { 'static/unused.css': 'b {}' });
    await page.waitForTimeout(500);
    replace(root, { 'static/site/a.css': 'h1 { color: rgb(9, 9, 9) }' });
    await eventually(() => colorOf(page, 'h1')).toBe('rgb(9, 9, 9)');
    expect(asked).toEqual([expect.stringContaining(`${url}static/site/a.css?v=1&`)]);
    expect(await colorOf(page, 'p')).toBe('rgb(5, 5, 5)');
    expect(await marked(page)).toBe(true);
  });

  it('reloads for a stylesheet that has come in another way', async () => {
    const root = project({
      ...FILES,
      'static/site.js': 'fetch("/static/site/a.css");',
      'views/page.html': '<!doctype html><script src="/static/site.js"></script>',
    });
    const { url } = await serve(root);
    const page = await open(url);
    replace(root, { 'static/site/a.css': '' });
    await reloaded(page);
  });

  it('puts the script into a page that the browser knows without', async () => {
    const root = project({
      ...FILES,
      'app.mjs': `export default (request, response) => {
        response.writeHead(request.headers['if-none-match'] === '"1"' ? 304 : 200, {
          'Content-Type': 'text/html', ETag: '"1"', 'Cache-Control': 'no-cache' });
        response.end(request.headers['if-none-match'] === '"1"' ? undefined : '<h1>Page</h1>');
      };`,
    });
    const plain = await serve(root, ['app.mjs', '--noreload']);
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(plain.url);
    expect(await page.locator('script').count()).toBe(0);
    await plain.server.end();
    const port = new URL(plain.url).port;
    const server = start([BIN, 'runserver', port, 'app.mjs'], root);
    await server.waitFor(/Stop it/);
    await page.goto(plain.url);
    expect(await page.locator('script').count()).toBe(1);
    // And from then on the application's 304 is for the page with the script.
    await page.goto(plain.url);
    expect(await page.locator('script').count()).toBe(1);
    await server.waitFor(/GET \/ 304 /);
  });
});

/** The event streams that a page holds open. */
async function connectionsOf(page: Page): Promise<Set<string>> {
  const open = new Set<string>();
  const session = await page.context().newCDPSession(page);
  session.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (request.url.includes('/.staticfiles/events')) open.add(requestId);
  });
  session.on('Network.loadingFailed', ({ requestId }) => open.delete(requestId));
  session.on('Network.loadingFinished', ({ requestId }) => open.delete(requestId));
  await session.send('Network.enable');
  await page.reload();
  await mark(page);
  await eventually(() => open.size).toBe(1);
  return open;
}

/** Hides or shows a page: this browser shows all of its pages, always. */
async function show(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  `);
}

describe('runserver, without a browser', () => {
  const HTML = { 'Sec-Fetch-Dest': 'document' };
  const get = async (url: string) => (await fetch(url, { headers: HTML })).text();

  it.each<[string, string[], Record<string, string>]>([
    ['--noreload', ['--noreload'], {}],
    ['debug false', [], { NODE_ENV: 'production' }],
    ['debug false and --insecure', ['--insecure'], { NODE_ENV: 'production' }],
  ])('changes no page with %s', async (_, args, env) => {
    const root = project(FILES);
    const { server, url } = await serve(root, ['app.mjs', ...args], env);
    expect(await get(url)).toBe(PAGE);
    expect(await get(`${url}.staticfiles/reload.js`)).toBe(PAGE); // the application's
    expect(server.out()).not.toContain('Pages reload');
  });

  it.each([
    [
      'a function',
      'export default (q, r) => r.setHeader("Content-Type", "text/html").end("page");',
    ],
    [
      'an object with fetch',
      'export default { fetch: () => new Response("page", { headers: { "Content-Type": "text/html" } }) };',
    ],
    [
      'an http.Server',
      'import { createServer } from "node:http"; export default createServer((q, r) => r.writeHead(200, { "Content-Type": "text/html" }).end("page"));',
    ],
  ])('adds the script to the pages of %s, also with --nostatic', async (_, source) => {
    const { url } = await serve(project({ ...FILES, 'app.mjs': source }), [
      'app.mjs',
      '--nostatic',
    ]);
    expect(await get(url)).toBe('page<script src="/.staticfiles/reload.js" async></script>\n');
  });

  it('leaves HTML that is compressed, or a static file, as it is', async () => {
    const root = project({
      ...FILES,
      'app.mjs': `import { gzipSync } from 'node:zlib';
        export default (request, response) => {
          response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip' });
          response.end(gzipSync('<h1>Page</h1>'));
        };`,
      'static/demo.html': '<h1>Demo</h1>',
    });
    const { url } = await serve(root);
    expect(await get(url)).toBe('<h1>Page</h1>');
    expect(await get(`${url}static/demo.html`)).toBe('<h1>Demo</h1>');
  });

  it('says nothing new as JSON', async () => {
    const server = start([BIN, 'runserver', '0', 'app.mjs', '--json'], project(FILES));
    await server.waitFor(/\n/);
    expect(Object.keys(JSON.parse(server.out()))).toEqual(['url', 'pid']);
  });

  it('names stylesheets by their URLs, and leaves source to the restart', async () => {
    const root = project({
      ...FILES,
      'staticfiles.config.mjs': `import { appDirsFinder, dirsFinder, packagesFinder } from ${staticfiles};
        export default {
          staticUrl: '/s/', apps: ['polls'], dirs: ['.', { prefix: 'brand', dir: 'art' }],
          finders: [dirsFinder(), appDirsFinder(), packagesFinder({ '@scope/pkg': 'dist' })],
          staticRoot: 'collected', mediaUrl: '/media/', mediaRoot: 'uploads',
        };`,
      'art/logo ⊗.css': '',
      'art/x.svg': '',
      'polls/static/polls/poll.css': '',
      'node_modules/@scope/pkg/package.json': '{}',
      'node_modules/@scope/pkg/dist/p.css': '',
      'uploads/me.svg': '',
      'collected/a.css': '',
      'debug.log': '',
      'data.sqlite': '',
    });
    const { url } = await serve(root);
    const { told } = await follow(url);
    for (const [file, urls] of [
      ['art/logo ⊗.css', ['/s/art/logo%20%E2%8A%97.css', '/s/brand/logo%20%E2%8A%97.css']],
      ['polls/static/polls/poll.css', ['/s/polls/static/polls/poll.css', '/s/polls/poll.css']],
      [
        'node_modules/@scope/pkg/dist/p.css',
        ['/s/@scope/pkg/p.css', '/s/node_modules/@scope/pkg/dist/p.css'],
      ],
      ['art/x.svg', undefined],
    ] as const) {
      // What changes meanwhile, and is nothing for a page.
      replace(root, { 'uploads/me.svg': file, 'collected/a.css': file, 'debug.log': file });
      replace(root, { 'data.sqlite': file, 'art/logo.css.map': file, 'art/logo.scss': file });
      replace(root, { [file]: 'new' });
      await eventually(() => sorted(told.at(-1)?.css)).toEqual(sorted(urls));
    }
    expect(told).toHaveLength(5);
  });

  it.each([
    ['has a name of its own for it', '[{ name: "x.css", path: "/x.css" }]'],
    ['throws', '(() => { throw new Error("no luck"); })()'],
  ])('reloads pages for a stylesheet where the finder %s', async (_, found) => {
    const root = project({ ...FILES, 'own/a.css': '' });
    const folder = JSON.stringify(join(root, 'own'));
    replace(root, {
      'staticfiles.config.mjs': `export default { finders: [
        { find: () => ${found}, list: () => [], locations: () => [${folder}] } ] };`,
    });
    const { url } = await serve(root);
    const { told } = await follow(url);
    replace(root, { 'own/a.css': 'new' });
    await eventually(() => told.length).toBe(2);
    expect(told[1]).not.toHaveProperty('css');
    expect(told[0]).toHaveProperty('css', []);
  });

  it('shows streams in the request log at verbosity 2, and is not held up by them', async () => {
    const { server, url } = await serve(project(FILES), ['app.mjs', '-v', '2']);
    const { ended } = await follow(url);
    expect(await server.end('SIGINT')).toBe(0);
    expect(await ended).toBe('in good order');
    expect(server.err()).toMatch(/GET \/\.staticfiles\/events\?since=/);
  });
});

const sorted = (urls: readonly string[] | undefined) => urls && [...urls].sort();

interface Message {
  readonly css?: string[];
}

/** Connects as a page does, and gathers what it is told. */
async function follow(url: string) {
  const script = await (await fetch(`${url}.staticfiles/reload.js`)).text();
  const [, state = ''] = /state = "([^"]+)"/.exec(script) ?? [];
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const response = await fetch(`${url}.staticfiles/events?since=${state}`, { signal: stop.signal });
  const told: Message[] = [];
  const read = async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      for (const [, data = ''] of chunk.matchAll(/^data: (.*)$/gm)) told.push(JSON.parse(data));
    }
  };
  const ended = read().then(
    () => 'in good order',
    (error: unknown) => String(error),
  );
  await eventually(() => told.length).toBe(1);
  return { told, ended };
}
