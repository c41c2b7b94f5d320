import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumMissing, hasChromium } from '../chromium.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const execute = promisify(execFile);

/** The examples of a page that have a file's name: ```js app.js */
function examplesOf(page: string): Record<string, string> {
  const text = readFileSync(join(root, page), 'utf8');
  const found = [...text.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)];
  return Object.fromEntries(found.map(([, file = '', source = '']) => [file, source]));
}

const quickStart = examplesOf('README.md');
const examples = examplesOf('docs/testing.md');

const LAUNCH = JSON.stringify({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'], // tests may run as root, in a container
});

function replaced(file: string, text: string, by: string): string {
  const source = examples[file] ?? '';
  expect(source).toContain(text);
  return source.replace(text, by);
}

/** Installs a package of Playwright, in the version of the one that is here. */
async function install(name: string): Promise<void> {
  const manifest = readFileSync(join(root, 'node_modules/playwright-core/package.json'), 'utf8');
  const wanted = `${name}@${JSON.parse(manifest).version}`;
  await execute('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', wanted], {
    cwd: project,
    shell: process.platform === 'win32',
  });
}

/** A project with the application of the quick start and the page's tests. */
let project: string;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'staticfiles-docs-'));
  const picture = readFileSync(join(root, 'examples/polls/polls/static/polls/images/lake.jpg'));
  write({
    ...examples,
    'package.json': '{ "type": "module" }',
    'my_app/static/my_app/example.jpg': picture,
    'staticfiles.config.js': quickStart['staticfiles.config.js'] ?? '',
    'app.js': quickStart['app.js'] ?? '',
    // Playwright would bring a browser of its own.
    'browser.test.js': replaced('browser.test.js', '.launch()', `.launch(${LAUNCH})`),
    'playwright.config.js': `export default { use: { launchOptions: ${LAUNCH} } };`,
  });
  if (hasChromium) await install('@playwright/test');
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  symlinkSync(root, join(project, 'node_modules/staticfiles'), 'junction');
  for (const name of ['handlebars', 'nunjucks', 'vitest']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name), 'junction');
  }
}, 120_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

function write(files: Record<string, string | Uint8Array>): void {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), content);
  }
}

/** Runs a program of Node in the project, and answers what it prints; fails where that fails. */
async function run(args: string[], env: Record<string, string> = {}): Promise<string> {
  const { VITEST: _, NODE_ENV: __, NODE_OPTIONS: ___, ...own } = process.env;
  const { stdout, stderr } = await execute(process.execPath, args, {
    cwd: project,
    env: { ...own, NO_COLOR: '1', ...env },
  });
  return stdout + stderr;
}

const vitest = (file: string, env?: Record<string, string>) =>
  run(['node_modules/vitest/vitest.mjs', 'run', file], env);

describe('the page on tests', () => {
  test('has an example for vitest that passes', async () => {
    expect(await vitest('page.test.js')).toMatch(/Tests\s+1 passed/);
  });

  test('has an example for vitest that fails where the picture is not there', async () => {
    const app = quickStart['app.js'] ?? '';
    write({ 'app.js': app.replaceAll('/example.jpg', '/gone.jpg') });
    try {
      await expect(vitest('page.test.js')).rejects.toMatchObject({
        stderr: expect.stringContaining('expected 404 to be 200'),
      });
    } finally {
      write({ 'app.js': app });
    }
  });

  test('has an example for node:test that passes', async () => {
    expect(await run(['--test', 'page.node-test.js'])).toMatch(/pass 1\n/);
  });

  test('has an example of what is deployed that passes', async () => {
    expect(await vitest('deploy.test.js')).toMatch(/Tests\s+1 passed/);
  });

  test.skipIf(!hasChromium)(
    'has a fixture for Playwright, and a test of it that passes',
    async () => {
      const cli = 'node_modules/@playwright/test/cli.js';
      expect(await run([cli, 'test', 'page.spec.js'])).toMatch(/1 passed/);
    },
  );

  test.skipIf(!hasChromium)(
    'has an example for the library of Playwright that passes',
    async () => {
      expect(await vitest('browser.test.js')).toMatch(/Tests\s+1 passed/);
    },
  );
});

if (!hasChromium) console.warn(`${chromiumMissing} The examples for browsers are not run.`);
