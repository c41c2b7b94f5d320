import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { django } from '../django.js';
import { project } from '../project.js';
import { hashedProject } from './hashed-project.js';
import { run } from './run.js';

const FILES = {
  'staticfiles.config.mjs':
    'export default { dirs: ["site", { prefix: "vendor", dir: "lib" }], apps: ["polls"], staticRoot: "collected" };',
  'site/a.css': 'a',
  'site/css/b.css': 'b',
  'site/.hidden': 'h',
  'site/backup~': 'h',
  'site/CVS/root': 'h',
  'lib/v.js': 'v',
  'polls/static/a.css': 'shadowed',
  'polls/static/polls/p.css': 'p',
};

/** Every file below a folder, by name. */
function tree(root: string): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]),
  );
}

const COLLECTED = { 'a.css': 'a', 'css/b.css': 'b', 'polls/p.css': 'p', 'vendor/v.js': 'v' };

describe('collectstatic', () => {
  it('copies the first file of each name, reports the others, and sums up', async () => {
    const root = project(FILES);
    const { status, out, err } = await run(root, ['collectstatic']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out.replace(/\d+\.\d s/, 'N s')).toBe(
      `'a.css' was found again at ${root}/polls/static/a.css; it is left out, for ${root}/site/a.css comes first.\n\n4 static files copied to '${root}/collected'.\n4 bytes in N s.\n`,
    );
    expect(tree(`${root}/collected`)).toEqual(COLLECTED);
  });

  it('leaves alone what has not changed, and sees a change of time in either direction', async () => {
    const root = project(FILES);
    await run(root, ['collectstatic']);
    expect((await run(root, ['collectstatic'])).out).toMatch(
      /\n0 static files copied to '.*', 4 unmodified\.\n/,
    );
    writeFileSync(`${root}/site/a.css`, 'A');
    utimesSync(`${root}/site/a.css`, 1, 1); // the new file is older than the old one
    const { out } = await run(root, ['collectstatic', '-v', '2']);
    expect(out).toContain(`Copying '${root}/site/a.css'\n`);
    expect(out).toContain("Skipping 'css/b.css' (not modified)\n");
    expect(out).toMatch(/\n1 static file copied to '.*', 3 unmodified\.\n/);
    expect(tree(`${root}/collected`)).toEqual({ ...COLLECTED, 'a.css': 'A' });
  });

  it('prints nothing at verbosity 0', async () => {
    expect(await run(project(FILES), ['collectstatic', '-v', '0'])).toEqual({
      status: 0,
      out: '',
      err: '',
    });
  });

  it('pretends in a dry run', async () => {
    const root = project({ ...FILES, 'collected/old.css': 'old' });
    const { status, out } = await run(root, ['collectstatic', '--dry-run', '--clear']);
    expect(status).toBe(0);
    expect(out).toContain(`Pretending to copy '${root}/lib/v.js'\n`);
    expect(out).toContain("Pretending to delete 'old.css'\n");
    expect(tree(`${root}/collected`)).toEqual({ 'old.css': 'old' });
  });

  it('leaves out what is ignored', async () => {
    const root = project(FILES);
    await run(root, ['collectstatic', '-i', 'b.*', '--ignore', 'polls']);
    expect(tree(`${root}/collected`)).toEqual({ 'a.css': 'a', 'vendor/v.js': 'v' });
    const all = project(FILES);
    await run(all, ['collectstatic', '--no-default-ignore', '-i', '*.css', '-i', '*.js']);
    expect(Object.keys(tree(`${all}/collected`))).toEqual(['.hidden', 'CVS/root', 'backup~']);
  });

  it('clears what was not collected now, and only that', async () => {
    const root = project({ ...FILES, 'collected/old.css': 'old', 'collected/deep/er.css': 'old' });
    await run(root, ['collectstatic']);
    expect(Object.keys(tree(`${root}/collected`))).toContain('old.css');
    const { out } = await run(root, ['collectstatic', '-c']);
    expect(out).toContain("Deleting 'old.css'\n");
    expect(out).toMatch(/\n0 static files copied to '.*', 4 unmodified, 2 deleted\.\n/);
    expect(tree(`${root}/collected`)).toEqual(COLLECTED);
  });

  it('links for --link, and copies again without it', async () => {
    const root = project(FILES);
    expect((await run(root, ['collectstatic', '-l'])).out).toMatch(
      /\n4 static files symlinked to '.*'\.\n/,
    );
    expect(readlinkSync(`${root}/collected/vendor/v.js`)).toBe(`${root}/lib/v.js`);
    expect((await run(root, ['collectstatic', '-l'])).out).toMatch(
      /\n0 static files symlinked to '.*', 4 unmodified\.\n/,
    );
    expect((await run(root, ['collectstatic'])).out).toMatch(/\n4 static files copied to '.*'\.\n/);
    expect(lstatSync(`${root}/collected/vendor/v.js`).isFile()).toBe(true);
    expect(readFileSync(`${root}/lib/v.js`, 'utf8')).toBe('v');
  });

  it('asks a person before it overwrites, and stops unless told to go on', async () => {
    const root = project({ ...FILES, 'collected/old.css': 'old' });
    const refused = await run(root, ['collectstatic', '--clear'], { answer: 'no' });
    expect(refused.status).toBe(1);
    expect(refused.out).toContain(`${root}/collected`);
    expect(refused.out).toContain('DELETED');
    expect(refused.err).toBe('Error: Collecting was cancelled; nothing has changed.\n');
    expect(tree(`${root}/collected`)).toEqual({ 'old.css': 'old' });
    expect((await run(root, ['collectstatic'], { answer: 'yes' })).status).toBe(0);
  });

  it.each([['--no-input'], ['--noinput'], ['--dry-run']])('asks nobody for %s', async (option) => {
    const root = project({ ...FILES, 'collected/old.css': 'old' });
    const { status, out } = await run(root, ['collectstatic', option], { answer: 'no' });
    expect(status).toBe(0);
    expect(out).not.toContain('yes');
  });

  it('asks nobody where there is nothing to overwrite', async () => {
    expect((await run(project(FILES), ['collectstatic'], { answer: 'no' })).status).toBe(0);
  });

  it('needs a static root', async () => {
    const root = project({
      'staticfiles.config.mjs': 'export default { dirs: ["site"] };',
      'site/a': '',
    });
    const { status, err } = await run(root, ['collectstatic']);
    expect(status).toBe(1);
    expect(err).toContain('set staticRoot');
  });

  it('stops at the errors that check finds', async () => {
    const root = project({
      'staticfiles.config.mjs': 'export default { dirs: ["site"], staticRoot: "site/collected" };',
      'site/a.css': '',
    });
    const { status, err } = await run(root, ['collectstatic']);
    expect(status).toBe(1);
    expect(err).toContain('collecting would collect its own files');
    expect(readdirSync(`${root}/site`)).toEqual(['a.css']);
  });

  it('answers its report as JSON', async () => {
    const root = project(FILES);
    const { out } = await run(root, ['collectstatic', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      destination: `${root}/collected`,
      dryRun: false,
      copied: ['a.css', 'css/b.css', 'vendor/v.js', 'polls/p.css'],
      shadowed: [{ name: 'a.css' }],
    });
  });

  it.skipIf(!django.installed)(`gathers what real Django gathers${django.why}`, async () => {
    const root = project({
      ...FILES,
      'polls/__init__.py': '',
      'settings.py': [
        'import os',
        'BASE = os.path.dirname(os.path.abspath(__file__))',
        "SECRET_KEY = 'x'",
        "STATIC_URL = '/static/'",
        "STATIC_ROOT = os.path.join(BASE, 'django')",
        "STATICFILES_DIRS = [os.path.join(BASE, 'site'), ('vendor', os.path.join(BASE, 'lib'))]",
        "INSTALLED_APPS = ['django.contrib.staticfiles', 'polls']",
      ].join('\n'),
    });
    const theirs = execFileSync(
      django.python,
      [
        '-m',
        'django',
        'collectstatic',
        '--noinput',
        '--settings',
        'settings',
        '--pythonpath',
        root,
      ],
      { cwd: root, encoding: 'utf8' },
    );
    const ours = await run(root, ['collectstatic', '--noinput']);
    const summary = /^\d+ static files copied to .*$/m;
    expect(summary.exec(ours.out)?.[0]).toBe(
      summary.exec(theirs)?.[0].replace('/django', '/collected'),
    );
    expect(tree(`${root}/collected`)).toEqual(tree(`${root}/django`));
  });
});

describe('collectstatic under hashed names', () => {
  const HASH = '9dd4e461268c'; // of `x`
  const SOURCES = { 'a.css': 'url(b.png)', 'b.png': 'x' };
  const LOST = {
    'a.css': 'url(gone.png)',
    'a.js': "import './gone.js'\n//# sourceMappingURL=a.map",
  };
  const MISSING = [
    "a.css:1:5: gone.png is not found: there is no file 'gone.png'.",
    "a.js:1:9: ./gone.js is not found: there is no file 'gone.js'.",
  ];
  const MAP = "a.js:2:22: a.map is not found: there is no source map 'a.map'.";

  it('sums up, and tells each step for --verbosity 2', async () => {
    const root = hashedProject(SOURCES);
    const { status, out, err } = await run(root, ['collectstatic', '-v', '2']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toContain(`Copying '${root}/site/b.png'\n`);
    expect(out).toContain(`Post-processed 'b.png' as 'b.${HASH}.png'\n`);
    expect(out).toMatch(
      /\n\n2 static files copied to '.*\/collected', 2 post-processed\.\n24 bytes in \d\.\d s\.\n$/,
    );
    expect((await run(root, ['collectstatic'])).out).toMatch(
      /^\n0 static files copied to '.*', 2 unmodified, 2 post-processed\.\n/,
    );
    expect(readFileSync(`${root}/collected/b.${HASH}.png`, 'utf8')).toBe('x');
  });

  it('tells warnings last, on standard error', async () => {
    const many = await run(hashedProject(LOST), ['collectstatic']);
    expect(many.status).toBe(0);
    expect(many.err).toBe(`\n3 warnings:\n  ${[...MISSING, MAP].join('\n  ')}\n`);
    const one = await run(hashedProject({ 'a.css': LOST['a.css'] }), ['collectstatic']);
    expect(one.err).toBe(`\nA warning:\n  ${MISSING[0]}\n`);
    expect(await run(hashedProject(LOST), ['collectstatic', '-v', '0'])).toEqual({
      status: 0,
      out: '',
      err: '',
    });
  });

  it('fails for --strict, with every missing reference, and publishes nothing', async () => {
    const root = hashedProject(LOST);
    const { status, err } = await run(root, ['collectstatic', '--strict']);
    expect(status).toBe(1);
    expect(err).toBe(
      `Error: 2 references lead to no file, and that is an error by references.missing or --strict:\n  ${MISSING.join('\n  ')}\n`,
    );
    expect(existsSync(`${root}/collected/staticfiles.json`)).toBe(false);
    expect((await run(root, ['collectstatic'])).status).toBe(0);
  });

  it('pretends in a dry run, and writes nothing at all', async () => {
    const root = hashedProject(SOURCES);
    const { status, out } = await run(root, ['collectstatic', '--dry-run']);
    expect(status).toBe(0);
    expect(out).toContain(`Pretending to copy '${root}/site/a.css'\n`);
    expect(out).toContain(`Post-processed 'b.png' as 'b.${HASH}.png'\n`);
    expect(out).toMatch(/\n2 static files copied to '.*', 2 post-processed\.\n/);
    expect(existsSync(`${root}/collected`)).toBe(false);
  });

  it('answers its report as JSON, and prints nothing else', async () => {
    const root = hashedProject({ ...SOURCES, ...LOST });
    const { status, out, err } = await run(root, ['collectstatic', '--json']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({
      copied: ['a.css', 'a.js', 'b.png'],
      warnings: [...MISSING, MAP],
      missing: [
        { name: 'a.css', line: 1, column: 5, target: 'gone.png', sourceMap: false },
        {},
        {},
      ],
      hashed: [{}, {}, { name: 'b.png', hashedName: `b.${HASH}.png` }],
      compressed: { files: 0, made: 0, saved: 0 },
    });
    const failed = await run(root, ['collectstatic', '--json', '--strict']);
    expect(failed.status).toBe(1);
    expect(JSON.parse(failed.out).error).toMatchObject({ code: 'ERR_STATICFILES_COLLECT' });
  });

  it('tells what compressing saves', async () => {
    const root = hashedProject(
      { 'a.css': 'a{}'.repeat(1000), 'too-small.css': 'a{}' },
      'compress: ["gzip"]',
    );
    expect((await run(root, ['collectstatic'])).out).toMatch(
      /post-processed\.\n1 compressed, 1 of them now: 3\.0 kB less to send\.\n3\.0 kB in /,
    );
    expect((await run(root, ['collectstatic'])).out).toContain(
      '\n1 compressed, 0 of them now: 3.0 kB',
    );
  });

  it('copies only for --no-post-process', async () => {
    const root = hashedProject(SOURCES);
    const { out } = await run(root, ['collectstatic', '--no-post-process']);
    expect(out).toMatch(/\n2 static files copied to '.*'\.\n/);
    expect(tree(`${root}/collected`)).toEqual(SOURCES);
  });

  it('refuses a damaged manifest, and --clear forgets it', async () => {
    const root = hashedProject(SOURCES);
    await run(root, ['collectstatic']);
    writeFileSync(`${root}/collected/staticfiles.json`, '');
    const { status, err } = await run(root, ['collectstatic']);
    expect(status).toBe(1);
    expect(err).toMatch(/^Error: The manifest of the last deploy cannot be read.*--clear/);
    const { status: cleared } = await run(root, ['collectstatic', '--clear']);
    expect(cleared).toBe(0);
    expect(Object.keys(tree(`${root}/collected`)).filter((name) => !/^\./.test(name))).toHaveLength(
      5,
    );
  });
});
