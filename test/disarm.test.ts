import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { disarmingHeaders } from '../src/disarm.js';
import { contentType } from '../src/media-types.js';
import { chromiumMissing, hasChromium, launchChromium } from './chromium.js';

const of = (name: string, type = contentType(name)) => disarmingHeaders(name, type);
const dispositionOf = (name: string, type?: string) => of(name, type)['Content-Disposition'];

describe('an active type is an attachment', () => {
  test.each([
    'a.html',
    'a.HTM',
    'a.xhtml',
    'a.xht',
    'a.shtml',
    'a.svg',
    'a.svgz',
    'a.xml',
    'a.xsl',
    'a.xslt',
    'a.rss',
    'a.atom',
    'a.rdf',
    'a.mathml',
    'a.js',
    'a.mjs',
    'a.cjs',
    'a.swf',
    'a.mht',
    'a.mhtml',
    'a.hta',
    'a.htc',
    'a.jpg.html',
  ])('%s by its name, whatever the type', (name) => {
    expect(dispositionOf(name)).toBe(`attachment; filename="${name}"`);
    expect(dispositionOf(name, 'application/octet-stream')).toBe(`attachment; filename="${name}"`);
  });

  test.each([
    'text/html',
    'TEXT/HTML; charset=utf-8',
    ' text/html ',
    'application/xhtml+xml',
    'image/svg+xml',
    'application/xml',
    'text/xml;charset=utf-8',
    'application/anything.at-all+xml',
    'text/xsl',
    'text/javascript; charset=utf-8',
    'application/javascript',
    'application/x-javascript',
    'text/ecmascript',
    'text/javascript1.5',
    'application/x-shockwave-flash',
    'multipart/related',
    'multipart/x-mixed-replace; boundary=x',
    'message/rfc822',
    'text/html\n; x',
  ])('%s by the type, whatever the name', (type) => {
    expect(dispositionOf('a.jpg', type)).toBe('attachment; filename="a.jpg"');
    expect(dispositionOf('a', type)).toBe('attachment; filename="a"');
  });

  test.each([
    'a.jpg',
    'a.png',
    'a.gif',
    'a.webp',
    'a.avif',
    'a.ico',
    'a.mp4',
    'a.webm',
    'a.mp3',
    'a.wav',
    'a.pdf',
    'a.txt',
    'a.csv',
    'a.json',
    'a.css',
    'a.wasm',
    'a.zip',
    'a.docx',
    'a',
    'html',
    'html.txt',
    'a.html.jpg',
    'a.htmlx',
    'js',
  ])('%s is none', (name) => {
    expect(Object.keys(of(name))).toEqual(['Content-Security-Policy']);
  });
});

describe('the name of an attachment', () => {
  test.each([
    ['a/b/page.html', 'attachment; filename="page.html"'],
    ['a\\b\\page.html', 'attachment; filename="page.html"'],
    ['two words.html', 'attachment; filename="two words.html"'],
    ["it's (1)*.html", `attachment; filename="it's (1)*.html"`],
    ['', 'attachment'],
    ['folder/', 'attachment'],
    ['größe.html', `attachment; filename="gr__e.html"; filename*=UTF-8''gr%C3%B6%C3%9Fe.html`],
    ["ä'()*.js", `attachment; filename="_'()*.js"; filename*=UTF-8''%C3%A4%27%28%29%2A.js`],
    ['😀.svg', `attachment; filename="_.svg"; filename*=UTF-8''%F0%9F%98%80.svg`],
    ['100%.html', `attachment; filename="100_.html"; filename*=UTF-8''100%25.html`],
    [
      'a"; x="b.html',
      `attachment; filename="a_; x=_b.html"; filename*=UTF-8''a%22%3B%20x%3D%22b.html`,
    ],
    [
      'a\r\nSet-Cookie: x=y\r\n\r\n<b>.html',
      'attachment; filename="a__Set-Cookie: x=y____<b>.html"',
    ],
    ['nul\0\u007f\u0085.html', 'attachment; filename="nul___.html"'],
    ['a\u202elmth.js', 'attachment; filename="a_lmth.js"'],
    ['half\ud800.html', `attachment; filename="half_.html"; filename*=UTF-8''half%EF%BF%BD.html`],
  ])('of %j is told as %s', (name, expected) => {
    expect(dispositionOf(name, 'text/html')).toBe(expected);
  });

  test('of every character is a header that Node sends and fetch() reads', async () => {
    const every = Array.from({ length: 0x2100 }, (_, code) => String.fromCharCode(code)).join('');
    for (let at = 0; at < every.length; at += 64) {
      const value = dispositionOf(`${every.slice(at, at + 64)}.html`, 'text/html') ?? '';
      expect(value).toMatch(
        /^attachment; filename="[ !#$&-[\]-~]*\.html"(?:; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?$/,
      );
      expect(new Headers({ 'Content-Disposition': value }).get('Content-Disposition')).toBe(value);
    }
  });
});

describe('the policy', () => {
  test.each(['a.html', 'a.svg', 'a.jpg', 'a.txt', 'a.bin', 'a.js', 'a.mp4', 'a.mp3', 'a.pdf'])(
    'of %s lets no script run, and fetches nothing but what the browser’s own page for it does',
    (name) => {
      const policy = of(name)['Content-Security-Policy'] ?? '';
      expect(policy).toMatch(/^default-src 'none'; /);
      expect(policy).not.toMatch(/script|connect|frame-src|form|allow-(?!same-origin)/);
      expect(policy.includes('sandbox')).toBe(name !== 'a.pdf');
    },
  );
});

const why = hasChromium ? '' : ` (skipped: ${chromiumMissing})`;
describe.runIf(hasChromium)(`in a real browser${why}`, () => {
  const SCRIPT = '<script>fetch("/ran")</script>';
  const XML = '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7">';
  const uploads = new Map<string, string | Buffer>([
    ['page.html', `<!doctype html><title>page</title>${SCRIPT}<img src=x onerror="fetch('/ran')">`],
    ['größe.svg', `${XML}${SCRIPT}<image href="data:image/png;base64,iVBORw0KGgo="/></svg>`],
    [
      'feed.xml',
      `<x:html xmlns:x="http://www.w3.org/1999/xhtml"><x:script>fetch("/ran")</x:script></x:html>`,
    ],
    [
      'picture.gif',
      Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAAAAAAALAAAAAABAAEAAAIBRAA7', 'base64'),
    ],
    ['sound.wav', wave()],
    ['notes.txt', `<!doctype html>${SCRIPT}`],
    ['unknown', `<!doctype html>${SCRIPT}`],
  ]);
  const asked: string[] = [];
  let isAttached = true;
  let origin: string;
  let browser: Browser;

  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url ?? '').slice(1);
    asked.push(name);
    const body = uploads.get(name);
    if (body === undefined) {
      const html = '<!doctype html><img src="gr%C3%B6%C3%9Fe.svg"><img src="picture.gif">';
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(html);
      return;
    }
    const type = name === 'unknown' ? 'application/octet-stream' : contentType(name);
    const headers = disarmingHeaders(name, type);
    if (!isAttached) delete headers['Content-Disposition'];
    response.writeHead(200, {
      ...headers,
      'Content-Type': type,
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(body);
  });

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    uploads.set('film.webm', await film());
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    server.close();
  });

  /** A film, for there are no tools to make one but the browser. */
  async function film(): Promise<Buffer> {
    const maker = await launchChromium();
    const page = await maker.newPage();
    const bytes = await page.evaluate(FILM);
    await maker.close();
    return Buffer.from(bytes as number[]);
  }

  test.each(['page.html', 'größe.svg', 'feed.xml', 'unknown'])(
    '%s is stored under its name, and not opened',
    async (name) => {
      isAttached = true;
      const page = await browser.newPage();
      const storing = page.waitForEvent('download');
      await page.goto(origin + encodeURIComponent(name)).catch(() => {}); // says that it was aborted
      expect((await storing).suggestedFilename()).toBe(name);
      await page.close();
    },
  );

  test.each(['page.html', 'größe.svg', 'feed.xml', 'notes.txt'])(
    '%s runs nothing, even if it is opened',
    async (name) => {
      isAttached = false;
      asked.length = 0;
      const page = await browser.newPage();
      await page.goto(origin + encodeURIComponent(name), { waitUntil: 'networkidle' });
      await page.close();
      expect(asked.filter((path) => path !== 'favicon.ico')).toEqual([name]);
    },
  );

  test('images are shown in pages, SVG too', async () => {
    isAttached = true;
    const page = await browser.newPage();
    await page.goto(`${origin}index`, { waitUntil: 'load' });
    expect(await page.evaluate('[...document.images].map((img) => img.naturalWidth)')).toEqual([
      7, 1,
    ]);
    await page.close();
  });

  test('an image, a film and a sound are shown when they are opened', async () => {
    isAttached = true;
    const opened = async (name: string, look: (page: Page) => Promise<unknown>) => {
      const page = await browser.newPage();
      await page.goto(origin + name);
      const seen = await look(page);
      await page.close();
      return seen;
    };
    const ready = (property: string) => async (page: Page) => {
      await page.waitForFunction('document.querySelector("video")?.readyState >= 1');
      return page.evaluate(`document.querySelector('video').${property}`);
    };
    expect(
      await opened('picture.gif', (page) => page.evaluate('document.images[0].naturalWidth')),
    ).toBe(1);
    expect(await opened('film.webm', ready('videoWidth'))).toBe(64);
    expect(await opened('sound.wav', ready('duration'))).toBe(1);
  });
});

/** A second of silence: PCM of 8 bits, 8,000 times a second. */
function wave(): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + 8000, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(8000, 40);
  return Buffer.concat([head, Buffer.alloc(8000, 128)]);
}

/** Run in the browser: records a canvas, and answers the bytes. */
const FILM = `(async () => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 64;
  const context = canvas.getContext('2d');
  const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm;codecs=vp8' });
  const chunks = [];
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  recorder.start();
  for (let i = 0; i < 10; i++) {
    context.fillStyle = i % 2 ? 'red' : 'blue';
    context.fillRect(0, 0, 64, 64);
    await new Promise((done) => setTimeout(done, 50));
  }
  const stopped = new Promise((done) => (recorder.onstop = done));
  recorder.stop();
  await stopped;
  return [...new Uint8Array(await new Blob(chunks).arrayBuffer())];
})()`;
