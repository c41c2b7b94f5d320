import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import nunjucks from 'nunjucks';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { registerStatic } from '../../adapters/nunjucks.js';
import type { CollectReport } from '../../src/collect/run.js';
import {
  createStaticFiles,
  dirsFinder,
  hashedStorage,
  packagesFinder,
  type Settings,
  type StaticFiles,
} from '../../src/index.js';
import { chromiumMissing, hasChromium, launchChromium } from '../chromium.js';
import { add } from '../project.js';
import { smallPdf } from './pdf.js';

/*
 * A browser is the judge of hashed names: each page does the same, and loads the same files, from
 * the sources as they are and from what was collected.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const fixtures = fileURLToPath(new URL('../fixtures/browser', import.meta.url));

/** What is collected of packages of which more would be found than pages use. */
const PARTS = [
  'three/build',
  'three/examples/jsm',
  'pdfjs-dist/build',
  'pdfjs-dist/standard_fonts',
  'pdfjs-dist/web',
  'bootstrap/dist/css',
  '@fortawesome/fontawesome-free/css',
  '@fortawesome/fontawesome-free/webfonts',
];

interface Page {
  /** What it finds out about itself when it is through. */
  readonly outcome: unknown;
  /** What it loads; `all` of them, or `some` and others. */
  readonly all?: readonly string[];
  readonly some?: readonly string[];
  /** What it asks for by plain names also where names are hashed. */
  readonly plain?: readonly string[];
}

const PAGES: Readonly<Record<string, Page>> = {
  three: {
    outcome: { middle: 'red', corner: 'other', sameControls: true, addons: true },
    some: [
      'three/examples/jsm/Addons.js',
      'three/examples/jsm/controls/OrbitControls.js',
      'three/examples/jsm/libs/draco/draco_decoder.wasm',
      'three/examples/jsm/libs/draco/draco_wasm_wrapper.js',
      'three/examples/jsm/loaders/GLTFLoader.js',
      'three/examples/jsm/postprocessing/EffectComposer.js',
      'three/examples/jsm/postprocessing/Pass.js',
      'three/examples/jsm/shaders/CopyShader.js',
      'three/build/three.core.js',
      'three/build/three.module.js',
      'three/build/three.tsl.js',
      'three/build/three.webgpu.js',
    ],
  },
  pdf: {
    outcome: {
      size: [100, 100],
      rectangle: '255,0,0',
      paper: '255,255,255',
      dingbat: '0,128,0',
      shown: true,
      annotation: true,
    },
    some: [
      'pdfjs-dist/build/pdf.mjs',
      'pdfjs-dist/build/pdf.worker.mjs',
      'pdfjs-dist/web/images/loading-icon.gif',
      'pdfjs-dist/web/pdf_viewer.css',
      'pdfjs-dist/web/pdf_viewer.mjs',
      'site/page.pdf',
    ],
    plain: [
      'pdfjs-dist/standard_fonts/FoxitDingbats.pfb',
      'pdfjs-dist/web/images/annotation-comment.svg',
    ],
  },
  leaflet: {
    outcome: {
      toggle: true,
      sizes: [
        [26, 26],
        [25, 41],
        [41, 41],
        [25, 41],
      ],
      popup: 'Null Island',
    },
    all: [
      'leaflet/images/layers.png',
      'leaflet/images/marker-icon.png',
      'leaflet/images/marker-shadow.png',
      'leaflet/leaflet-src.esm.js',
      'leaflet/leaflet.css',
    ],
  },
  icons: {
    outcome: { fonts: [['bootstrap-icons', 'loaded']], has: true, width: 40 },
    all: ['bootstrap-icons/bootstrap-icons.css', 'bootstrap-icons/fonts/bootstrap-icons.woff2'],
  },
  graph: {
    outcome: {
      loaded: [
        'outside.js',
        'cycle/c.js',
        'cycle/b.js',
        'cycle/a.js',
        'self.js',
        'escaped.js',
        '⊗ and space.js',
        'absolute.js',
        'bare.js',
        'deep/index.mjs',
        'min.js',
        'main.js',
        'lazy.js',
        'with space.js',
      ],
      cycle: 'abca!',
      self: true,
      lazy: true,
      spaces: true,
      bare: 'bare',
      a: 1,
      data: { answer: 42, file: './gone.js' },
      fetched: { answer: 42, file: './gone.js' },
      workers: [
        {
          cycle: 'abca!',
          answer: 42,
          late: 'late',
          inner: 'inner!',
          loaded: [
            'outside.js',
            'cycle/c.js',
            'cycle/b.js',
            'cycle/a.js',
            'workers/w.js',
            'workers/late.js',
          ],
        },
        'classic, late',
      ],
      widths: [8, 18, 9, 10],
      colours: ['rgb(1, 1, 1)', 'rgb(3, 3, 3)', 'rgb(2, 2, 2)', 'rgb(4, 4, 4)'],
      text: '"url(gone.svg)"',
      untouched: [
        "import './gone.js'; new URL('./gone.js', import.meta.url)",
        "import('.\\/gone.js')",
      ],
    },
    // Pictures of screens that are twice as fine are for others.
    all: readdirSync(join(fixtures, 'static'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('-2x.svg'))
      .map(({ parentPath, name }) => relative(join(fixtures, 'static'), join(parentPath, name)))
      .map((path) => path.replaceAll(sep, '/'))
      .sort(),
  },
};

if (!hasChromium) console.warn(`${chromiumMissing} Nobody judges what was collected.`);

describe.skipIf(!hasChromium)('in Chromium, from the sources and by hashed names alike,', () => {
  let folder: string;
  let live: StaticFiles;
  let collected: StaticFiles;
  let report: CollectReport;
  /** Names by hashed names. */
  let names: ReadonlyMap<string, string>;
  let browser: Browser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'staticfiles-'));
    add(folder, { 'static/site/page.pdf': smallPdf() });
    const settings: Settings = {
      baseDir: root,
      dirs: [
        ...PARTS.map((part) => ({ prefix: part, dir: `node_modules/${part}` })),
        join(fixtures, 'static'),
        join(folder, 'static'),
      ],
      finders: [dirsFinder(), packagesFinder({ leaflet: 'dist', 'bootstrap-icons': 'font' })],
      staticRoot: join(folder, 'collected'),
      storage: hashedStorage(),
    };
    live = createStaticFiles({ ...settings, debug: true });
    collected = createStaticFiles({ ...settings, debug: false });
    report = await collected.collect();
    const manifest = readFileSync(join(folder, 'collected/staticfiles.json'), 'utf8');
    const paths: Record<string, string> = JSON.parse(manifest).paths;
    names = new Map(Object.entries(paths).map(([name, hashedName]) => [hashedName, name]));
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(Object.entries(PAGES))('%s works', async (name, page) => {
    const { outcome, all, some = [], plain = [] } = page;
    const fromSources = await visit(browser, live, name);
    expect(fromSources).toMatchObject({ outcome, complaints: [] });
    expect(fromSources.names).toEqual(all ?? expect.arrayContaining([...some, ...plain]));

    const hashed = await visit(browser, collected, name);
    expect(hashed).toMatchObject({ outcome, complaints: [] });
    expect(hashed.names.filter((asked) => !names.has(asked))).toEqual(plain);
    // Each file once: under two URLs, a module would run twice.
    expect(hashed.names.map((asked) => names.get(asked) ?? asked).sort()).toEqual(
      fromSources.names,
    );
  });

  test('stylesheets say the same, but for the hashes', async () => {
    const hashedNames = new Map([...names].map(([hashedName, name]) => [name, hashedName]));
    const sheets = [...hashedNames.keys()].filter((name) => name.endsWith('.css'));
    const plain = await read(browser, live, sheets);
    const hashed = await read(
      browser,
      collected,
      sheets.map((name) => hashedNames.get(name) as string),
    );
    let links = 0;
    const expected = plain.map((sheet) =>
      sheet.replace(/(?<=url\(")\/static\/[^"?#]*/g, (path) => {
        const hashedName = hashedNames.get(nameOf(path));
        if (hashedName === undefined) return path;
        links += 1;
        return encodeURI(`/static/${hashedName}`);
      }),
    );
    expect(hashed).toEqual(expected);
    expect(links).toBeGreaterThan(100);
  });

  test('a missing file is one warning, and the packages are whole', () => {
    expect(report.warnings).toEqual([
      "graph/style.css:40:21: gone.svg is not found: there is no file 'graph/gone.svg'.",
    ]);
  });
});

/** Opens a page in a browser that has seen nothing yet; answers what it found and asked for. */
async function visit(browser: Browser, files: StaticFiles, name: string) {
  const loader = new nunjucks.FileSystemLoader(join(fixtures, 'pages'));
  const templates = new nunjucks.Environment(loader);
  registerStatic(templates, files);
  const { page, asked, complaints } = await open(browser, files, templates.render(`${name}.njk`));
  const outcome = await page
    .waitForFunction('window.outcome', undefined, { timeout: 100_000 })
    .then(
      (handle) => handle.jsonValue(),
      (error: unknown) => String(error), // what it complained of tells more
    );
  return { outcome, complaints, names: [...asked].map(nameOf).sort() };
}

/** Stylesheets as the browser itself reads them: all that they say to it, with absolute addresses. */
async function read(browser: Browser, files: StaticFiles, names: string[]): Promise<string[]> {
  const { page } = await open(browser, files, '<!doctype html>');
  const texts: string[] = [];
  for (const name of names) {
    const url = new URL(encodeURI(`/static/${name}`), page.url());
    const link = await page.addStyleTag({ url: url.href });
    const text = await link.evaluate(({ sheet }: StyleSheetLink) =>
      Array.from(sheet.cssRules, ({ cssText }) => cssText).join('\n'),
    );
    texts.push(
      text.replace(/url\((?:"((?:[^"\\]|\\.)*)"|([^")]*))\)/g, (_, quoted, bare) => {
        const { href } = new URL(quoted ?? bare, url);
        return `url("${href.replace(url.origin, '')}")`;
      }),
    );
  }
  return texts;
}

/** What is read of a `<link>`, whose types are the browser's. */
interface StyleSheetLink {
  readonly sheet: { readonly cssRules: Iterable<{ readonly cssText: string }> };
}

/** Serves a page and its static files, and opens it; writes down what it asks for, and what goes wrong. */
async function open(browser: Browser, files: StaticFiles, html: string) {
  const complaints: string[] = [];
  const asked = new Set<string>();
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    if (url === '/') {
      response.setHeader('content-type', 'text/html').end(html);
      return;
    }
    asked.add(url);
    response.once('close', () => {
      if (response.statusCode >= 400) complaints.push(`${url}: ${response.statusCode}`);
    });
    files.handler(request, response);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');

  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.text().includes('GL Driver Message')) return; // it says that reading pixels is slow
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return { page, asked, complaints };
}

/** The name that a URL asks for; an unusual spelling of one stays what it is. */
function nameOf(url: string): string {
  const path = url.replace(/\?.*/, '');
  const name = decodeURI(path);
  return encodeURI(name) === path ? name.replace('/static/', '') : path;
}
