import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULTS } from '../src/settings.js';
import { start } from './process.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The examples that have a file's name: ```js app.js */
const examples = new Map(
  [...readme.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, file = '', source = '']): [string, string] => [file, source],
  ),
);

const npm = (args: string[], cwd: string) =>
  execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });

/** An empty project into which a new user has installed the packed package. */
let project: string;

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'staticfiles-readme-')));
  const [tarball] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', project], root),
  );
  write({ 'package.json': '{ "type": "module" }' });
  npm(
    [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      `./${tarball.filename}`,
      'nunjucks@3',
      'handlebars@4',
    ],
    project,
  );
  for (const [file, source] of examples) write({ [file]: source });
  write({
    'my_app/static/my_app/example.jpg': 'a picture',
    'my_app/static/my_app/style.css': 'a{}',
    'static/my_app/example.jpg': 'another picture',
  });
}, 120_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

function write(files: Record<string, string>): void {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), content);
  }
}

const cli = (...args: string[]) =>
  execFileSync(
    process.execPath,
    [join(project, 'node_modules/staticfiles/dist/src/cli/bin.js'), ...args],
    {
      cwd: project,
      encoding: 'utf8',
    },
  );

/** What a module of the project prints. */
const evaluate = (source: string) =>
  execFileSync(process.execPath, ['--input-type=module', '-e', source], {
    cwd: project,
    encoding: 'utf8',
  });

/** Sizes and times differ from machine to machine. */
const sameAmounts = (text: string) =>
  text.replace(/[\d.]+(?= (?:k?B|bytes?|s)\b)/g, 'N').replace(/ (?:bytes?|kB) /g, ' bytes ');

/** Makes a program print the port of each server that it starts. */
const PRINT_PORTS = `
  import { Server } from 'node:net';
  const { listen } = Server.prototype;
  Server.prototype.listen = function (...args) {
    this.once('listening', () => console.log(this.address().port));
    return listen.apply(this, args);
  };`;

const PICTURE = '<img src="/static/my_app/example.jpg" alt="">';

describe('the README', () => {
  it('says what it is and shows a dozen lines and three links on its first screen', () => {
    const screen = readme.slice(0, readme.indexOf('## Quick start'));
    expect(screen.split('\n').length).toBeLessThan(40);
    expect(screen).toContain('It is no ');
    expect(screen.match(/\]\(/g)).toHaveLength(3);
  });

  it('has a first example that runs', async () => {
    const source = (examples.get('server.js') ?? '').replace(
      'listen(8000)',
      'listen(0, () => console.log(server.address().port))',
    );
    expect(source).toContain('console.log');
    write({ 'server.run.js': source });
    const server = start(['server.run.js'], project);
    const [, port] = await server.waitFor(/(\d+)\n/);
    const page = await fetch(`http://127.0.0.1:${port}/`);
    expect(await page.text()).toBe(PICTURE);
    const picture = await fetch(`http://127.0.0.1:${port}/static/my_app/example.jpg`);
    expect(await picture.text()).toBe('another picture');
  });

  it('has a quick start that serves both pages and the picture', async () => {
    const bin = join(project, 'node_modules/staticfiles/dist/src/cli/bin.js');
    const server = start([bin, 'runserver', '0', 'app.js'], project);
    const [, url] = await server.waitFor(/Development server at (\S+)\n/);
    for (const page of ['nunjucks', 'handlebars']) {
      expect(await (await fetch(url + page)).text()).toBe(PICTURE);
    }
    const picture = await fetch(`${url}static/my_app/example.jpg`);
    expect(picture.headers.get('content-type')).toBe('image/jpeg');
    expect(await picture.text()).toBe('a picture');
    expect((await fetch(`${url}nowhere`)).status).toBe(404);
  });

  it('has a quick start that serves what was collected', async () => {
    cli('collectstatic');
    const source = (examples.get('serve.js') ?? '').replace(
      'listen(8000)',
      'listen(0, () => console.log(server.address().port))',
    );
    expect(source).toContain('console.log');
    write({ 'serve.run.js': source });
    const server = start(['serve.run.js'], project, { NODE_ENV: 'production' });
    const [, port] = await server.waitFor(/(\d+)\n/);
    expect(await (await fetch(`http://127.0.0.1:${port}/nunjucks`)).text()).toBe(PICTURE);
    const picture = await fetch(`http://127.0.0.1:${port}/static/my_app/example.jpg`);
    expect(picture.headers.get('cache-control')).toBe('public, max-age=60');
    expect(await picture.text()).toBe('a picture');
    rmSync(join(project, 'collected'), { recursive: true });
  });

  it('has a quick start that collects', () => {
    const shown = /2 static files copied to '.*'\.\n.*/.exec(readme)?.[0] ?? 'no such lines';
    expect(sameAmounts(cli('collectstatic'))).toBe(
      sameAmounts(`\n${shown.replace('/srv/site', project)}\n`),
    );
    expect(existsSync(join(project, 'collected/my_app/example.jpg'))).toBe(true);
  });

  it('has hashed names by one line more', () => {
    cli('collectstatic', '--config', 'hashed.config.js');
    const manifest = readFileSync(join(project, 'collected/staticfiles.json'), 'utf8');
    const { 'my_app/style.css': hashedName } = JSON.parse(manifest).paths;
    expect(hashedName).toMatch(/^my_app\/style\.[\da-f]{12}\.css$/);
    expect(existsSync(join(project, 'collected', hashedName))).toBe(true);
  });

  it.each(['express', 'koa', 'fastify', 'hono'])(
    'has an example for %s that runs',
    async (name) => {
      for (const peer of ['express', 'koa', 'fastify', 'hono', '@hono/node-server']) {
        const link = join(project, 'node_modules', peer);
        if (existsSync(link)) continue;
        mkdirSync(dirname(link), { recursive: true });
        symlinkSync(join(root, 'node_modules', peer), link, 'junction');
      }
      const source = examples.get(`${name}.js`) ?? '';
      expect(source).toContain('8000');
      write({ [`${name}.run.js`]: source.replace('8000', '0'), 'ports.js': PRINT_PORTS });
      const server = start(['--import', './ports.js', `${name}.run.js`], project);
      const [, port] = await server.waitFor(/(\d+)\n/);
      const page = await fetch(`http://127.0.0.1:${port}/`);
      expect(page.headers.get('content-type')).toMatch(/^text\/html/);
      expect(await page.text()).toBe(PICTURE);
      const picture = await fetch(`http://127.0.0.1:${port}/static/my_app/example.jpg`);
      expect(await picture.text()).toBe('a picture');
    },
  );

  it('shows the URLs that come out', () => {
    const source = examples.get('urls.js') ?? '';
    const shown = [...source.matchAll(/^(\w+Url\('[^']*'\)); \/\/\s+(\S+)$/gm)];
    expect(shown).toHaveLength(4);
    const printing = source.replace(/^(\w+Url\('[^']*'\));.*$/gm, 'console.log($1);');
    expect(evaluate(printing).trim().split('\n')).toEqual(shown.map((match) => match[2]));
  });

  it('shows the URL that an upload gets', () => {
    const source = examples.get('uploads.js') ?? '';
    const shown = /^(uploads\.url\(name\)); \/\/ (\S+)$/m.exec(source);
    expect(evaluate(source.replace(/^(uploads\.url\(name\));.*$/m, 'console.log($1);'))).toBe(
      `${shown?.[2]}\n`,
    );
  });

  it.each([
    'nunjucks.js',
    'handlebars.js',
    'finders.config.js',
    'staticfiles.config.js',
    'hashed.config.js',
    's3.config.js',
    'uploads.js',
  ])('has an example %s that runs', (file) => {
    expect(evaluate(`await import('./${file}'); console.log('ran');`)).toBe('ran\n');
  });

  it.each([
    ['njk', 'Nunjucks'],
    ['hbs', 'Handlebars'],
  ])('shows template lines of %s that render', (language) => {
    const template =
      new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(readme)?.[1] ?? '';
    expect(template.split('\n').length).toBeGreaterThan(4);
    write({ [`lines.${language}`]: template });
    const context = "{ path: 'my_app/example.jpg', code: 'at' }";
    const out = evaluate(`
      import { readFileSync } from 'node:fs';
      import Handlebars from 'handlebars';
      import nunjucks from 'nunjucks';
      import { createStaticFiles } from 'staticfiles';
      import { registerStatic as nj } from 'staticfiles/nunjucks';
      import { registerStatic as hb } from 'staticfiles/handlebars';
      const files = createStaticFiles();
      const template = readFileSync('lines.${language}', 'utf8');
      const env = new nunjucks.Environment();
      nj(env, files);
      hb(Handlebars, files);
      Handlebars.registerHelper('img', (url) => 'img ' + url);
      console.log('${language}' === 'njk' ? env.renderString(template, ${context}) : Handlebars.compile(template)(${context}));
    `);
    expect(out.match(/\/static\/my_app\/example\.jpg/g)?.length).toBeGreaterThanOrEqual(5);
    expect(out).not.toMatch(/\bstatic ['p]|<%|<</);
  });

  it('lists every setting, with its default', () => {
    const rows = [...readme.matchAll(/^\| `(\w+)` \|.*\|.*\|.*\|$/gm)].map((match) => match[1]);
    expect(rows).toEqual(expect.arrayContaining(Object.keys(DEFAULTS)));
    expect(Object.keys(DEFAULTS)).toEqual(expect.arrayContaining(rows));
  });

  it('lists every option of the commands', () => {
    const page = readme.slice(readme.indexOf('## Commands'));
    for (const command of [
      'collectstatic',
      'prune',
      'findstatic',
      'runserver',
      'check',
      'deployment',
    ]) {
      const own = cli(command, '--help').split('Options of every command:')[0] ?? '';
      const options = own.match(/--[a-z\d-]+(?= {2,}| [A-Z])/g) ?? [];
      expect(options.length, command).toBeGreaterThan(0);
      for (const option of options) expect(page, `${command} ${option}`).toContain(option);
    }
  });

  it('has links that lead somewhere', () => {
    const pages = [
      'README.md',
      'ARCHITECTURE.md',
      'CONTRIBUTING.md',
      'docs/from-django.md',
      'docs/deployment.md',
      'docs/object-storage.md',
      'docs/rolling-deploys.md',
      'docs/scale.md',
      'docs/testing.md',
      'examples/polls/README.md',
    ];
    for (const page of pages) {
      const text = readFileSync(join(root, page), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\((?!http|#)([^)#]+)/g)) {
        expect(existsSync(join(root, dirname(page), target)), `${page}: ${target}`).toBe(true);
      }
    }
  });
});
