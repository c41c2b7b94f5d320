import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SetupError } from '../../src/errors.js';
import { dirsFinder } from '../../src/finders/dirs.js';
import { project } from '../project.js';
import { thrownBy } from '../thrown.js';
import { attached, listed, listedNames } from './attached.js';

const posix = process.platform !== 'win32';
const why = posix ? '' : ' (skipped: Windows has no such links, rights and names)';

const finderOf = (...dirs: string[]) => attached(dirsFinder(), { dirs });

describe.runIf(posix)(`links${why}`, () => {
  test('to files and folders are followed', async () => {
    const elsewhere = project({ 'real.css': 'real', 'folder/a.css': 'a' });
    const dir = project({});
    symlinkSync(join(elsewhere, 'real.css'), join(dir, 'link.css'));
    symlinkSync(join(elsewhere, 'folder'), join(dir, 'linked'));
    const finder = finderOf(dir);
    expect(await listedNames(finder)).toEqual(['link.css', 'linked/a.css']);
    expect(finder.find('linked/a.css')).toHaveLength(1);
  });

  test('a source folder may be one itself', async () => {
    const dir = project({ 'real/a.css': 'a' });
    symlinkSync('real', join(dir, 'link'));
    expect(await listedNames(finderOf(join(dir, 'link')))).toEqual(['a.css']);
  });

  test('to nowhere, in a loop, or to no file are left out, with a warning each', async () => {
    const dir = project({ 'a.css': 'a' });
    symlinkSync('nowhere', join(dir, 'dangling.css'));
    symlinkSync('two', join(dir, 'one'));
    symlinkSync('one', join(dir, 'two'));
    symlinkSync('/dev/null', join(dir, 'device'));
    symlinkSync('nowhere', join(dir, 'ignored~'));
    const finder = finderOf(dir);
    const warnings: string[] = [];
    const files = await listed(finder, ['*~'], warnings);
    expect(files.map(({ name }) => name)).toEqual(['a.css']);
    expect(warnings).toEqual([
      `${join(dir, 'dangling.css')} is left out: it is a link to nowhere.`,
      `${join(dir, 'device')} is left out: it is a link to no file.`,
      `${join(dir, 'one')} is left out: it is a link to nowhere.`,
      `${join(dir, 'two')} is left out: it is a link to nowhere.`,
    ]);
    for (const name of ['dangling.css', 'one', 'two/a', 'device']) {
      expect(finder.find(name)).toEqual([]);
    }
  });

  test('back to a folder above are left out, so that listing ends', async () => {
    const dir = project({ 'a.css': '', 'sub/b.css': '', 'sub/deep/c.css': '' });
    symlinkSync('..', join(dir, 'sub/up'));
    symlinkSync('.', join(dir, 'self'));
    symlinkSync(dir, join(dir, 'sub/deep/top'));
    const warnings: string[] = [];
    const files = await listed(finderOf(dir), [], warnings);
    expect(files.map(({ name }) => name)).toEqual(['a.css', 'sub/b.css', 'sub/deep/c.css']);
    expect(warnings).toEqual(
      ['self', 'sub/deep/top', 'sub/up'].map(
        (link) =>
          `${join(dir, link)} is a link back into a folder above it, or to what was collected; it is left out.`,
      ),
    );
  });

  test('two to one folder are two ways to its files', async () => {
    const dir = project({ 'real/a.css': '' });
    symlinkSync('real', join(dir, 'link'));
    expect(await listedNames(finderOf(dir))).toEqual(['link/a.css', 'real/a.css']);
  });
});

describe.runIf(posix)(`what cannot be a file of ours${why}`, () => {
  test('pipes and sockets are left out, with a warning', async () => {
    const dir = project({});
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    const warnings: string[] = [];
    expect(await listed(finderOf(dir), [], warnings)).toEqual([]);
    expect(warnings).toEqual([
      `${join(dir, 'pipe')} is left out: it is a device, a pipe or a socket.`,
    ]);
    expect(finderOf(dir).find('pipe')).toEqual([]);
  });

  test("so are names with a '\\', which would mean a folder", async () => {
    const dir = project({ 'a\\b.css': 'x', 'c.css': '' });
    const warnings: string[] = [];
    const files = await listed(finderOf(dir), [], warnings);
    expect(files.map(({ name }) => name)).toEqual(['c.css']);
    expect(warnings).toEqual([
      `${join(dir, 'a\\b.css')} is left out: '\\' in a name is taken for '/'.`,
    ]);
    expect(finderOf(dir).find('a\\b.css')).toEqual([]);
  });

  test('folders with one too, with all that is in them', async () => {
    const dir = project({ 'a\\b/c.css': 'x', 'd.css': '' });
    const warnings: string[] = [];
    const files = await listed(finderOf(dir), [], warnings);
    expect(files.map(({ name }) => name)).toEqual(['d.css']);
    expect(warnings).toEqual([
      `${join(dir, 'a\\b')} is left out: '\\' in a name is taken for '/'.`,
    ]);
  });

  const bytes = (dir: string, ...name: number[]) =>
    Buffer.from([...Buffer.from(`${dir}/`), ...name]);
  test.runIf(process.platform === 'linux')(
    `and names that are no UTF-8${process.platform === 'linux' ? '' : ' (skipped: only Linux has any)'}`,
    async () => {
      const dir = project({ 'a.css': '' });
      writeFileSync(bytes(dir, 0xff, 0x2e, 0x63), '');
      mkdirSync(bytes(dir, 0xfe));
      const warnings: string[] = [];
      const files = await listed(finderOf(dir), [], warnings);
      expect(files.map(({ name }) => name)).toEqual(['a.css']);
      expect(warnings).toHaveLength(2);
      for (const warning of warnings) expect(warning).toContain('its name is not valid UTF-8');
    },
  );
});

test('names are the bytes that they are: NFC and NFD are two', async () => {
  const [nfc, nfd] = ['é.css', 'e\u0301.css'];
  const dir = project({ [nfc]: 'nfc' });
  writeFileSync(join(dir, nfd), 'nfd');
  const both = readdirSync(dir).length === 2; // a file system that normalises has one of them
  const names = await listedNames(finderOf(dir));
  expect(names.toSorted()).toEqual(both ? [nfd, nfc] : [names[0]]);
  for (const name of names) expect(finderOf(dir).find(name)).toHaveLength(1);
});

test('files are listed by code point, folder by folder', async () => {
  const names = ['B', 'a', 'a.b', 'b/a', 'b/é', 'b/！', 'b/😀', 'ä'];
  const dir = project(Object.fromEntries(names.toReversed().map((name) => [name, name])));
  expect(await listedNames(finderOf(dir))).toEqual(names);
});

test('listing is lazy: nothing is read before it is asked for', () => {
  const dir = project({ 'a/b.css': '', 'z.css': '' });
  const options = { ignore: () => false, warn: () => {} };
  const files = finderOf(dir).list(options);
  writeFileSync(join(dir, 'a/c.css'), '');
  expect(Array.from(files as Iterable<{ name: string }>, ({ name }) => name)).toEqual([
    'a/b.css',
    'a/c.css',
    'z.css',
  ]);
});

describe.runIf(posix)(`what this user may not read${why}`, () => {
  /** Calls as a user without rights of its own, where the tests run as root, whom nothing stops. */
  function withoutRights<T>(call: () => T): T {
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      return call();
    } finally {
      if (root) process.seteuid?.(0);
    }
  }

  function closed() {
    const dir = project({ 'open/a.css': '', 'closed/b.css': '' });
    chmodSync(dir, 0o755);
    chmodSync(join(dir, 'closed'), 0);
    return dir;
  }

  test('a folder stops listing, by an error that names it', () => {
    const dir = closed();
    const list = (patterns: readonly string[]) =>
      Array.from(
        finderOf(dir).list({ ignore: (name) => patterns.includes(name), warn: () => {} }) as [],
      );
    const error = withoutRights(() => thrownBy(() => list([])));
    expect(error).toBeInstanceOf(SetupError);
    expect(error).toMatchObject({
      message: `The folder ${join(dir, 'closed')} cannot be read (EACCES). Give this user the right to read it, or ignore it.`,
      cause: { code: 'EACCES' },
    });
    expect(withoutRights(() => list(['closed']))).toMatchObject([{ name: 'open/a.css' }]);
    chmodSync(join(dir, 'closed'), 0o700);
  });

  test('a file in it is not said to be missing', () => {
    const dir = closed();
    const error = withoutRights(() => thrownBy(() => finderOf(dir).find('closed/b.css')));
    expect(error).toBeInstanceOf(SetupError);
    expect(error).toMatchObject({
      message: expect.stringContaining(`${join(dir, 'closed', 'b.css')} cannot be read (EACCES)`),
    });
    expect(withoutRights(() => finderOf(dir).find('open/a.css'))).toHaveLength(1);
    chmodSync(join(dir, 'closed'), 0o700);
  });
});

describe('a folder of 100,000 files', () => {
  /** Lists it in a process with little memory; with `hold`, all that was listed is kept. */
  const WALK = `
    const built = ${JSON.stringify(pathToFileURL(resolve('dist/src')).href)};
    const { dirsFinder } = await import(built + '/finders/dirs.js');
    const { resolveSettings } = await import(built + '/resolve-settings.js');
    const { ignorePatterns } = await import(built + '/patterns.js');
    const [dir, hold] = process.argv.slice(2);
    const finder = dirsFinder().attach(resolveSettings({ dirs: [dir] }));
    const held = [];
    let count = 0;
    for (const file of finder.list({ ignore: ignorePatterns(['CVS', '.*', '*~']), warn() {} })) {
      count++;
      if (hold) held.push(file);
    }
    console.log(count);
  `;

  test.runIf(posix)(`is listed without being held in memory${why}`, () => {
    const root = project({ 'walk.mjs': WALK });
    mkdirSync(join(root, 'real'));
    for (let i = 0; i < 1000; i++) {
      writeFileSync(join(root, 'real', `${'n'.repeat(180)}-${i}.css`), '');
    }
    mkdirSync(join(root, 'static')); // a hundred ways to these thousand: links cost less to make
    for (let i = 0; i < 100; i++) symlinkSync('../real', join(root, 'static', `link-${i}`));
    const memory = ['--max-old-space-size=32', '--max-semi-space-size=1'];
    const walk = (...args: string[]) =>
      spawnSync(process.execPath, [...memory, 'walk.mjs', 'static', ...args], {
        cwd: root,
        encoding: 'utf8',
      });
    expect(walk().stdout).toBe('100000\n');
    const holding = walk('hold'); // so the bound above is one
    expect(holding.stdout).toBe('');
    expect(holding.stderr).toContain('heap out of memory');
  });
});
