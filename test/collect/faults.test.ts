import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { takeLock } from '../../src/collect/lock.js';
import type { Finder } from '../../src/finder.js';
import { add, project } from '../project.js';
import { fill, mount, remount, tmpfs } from '../tmpfs.js';
import {
  change,
  collectstatic,
  configure,
  deployed,
  digestOf,
  filesOf,
  KILL_AT,
  leftBehind,
  manifestOf,
  other,
  published,
  site,
  start,
  tree,
  waitsForNobody,
} from './program.js';

const FIRST = {
  'css/site.css': 'a { background: url(../img/a.png) } b { background: url(../img/b.png) }',
  'css/import.css': '@import "site.css";',
  'img/a.png': 'A'.repeat(5000),
  'img/b.png': 'B',
  'js/app.js': "import './part.js';\n",
  'js/part.js': 'export const part = 1;\n'.repeat(300),
};
const SECOND = {
  'css/site.css': `/* two */ ${FIRST['css/site.css']}`,
  'img/a.png': 'a'.repeat(9000),
  'js/part.js': 'export const part = 2;\n'.repeat(300),
  'js/new.js': 'export {};',
};

/** A manifest that takes more room than what is remembered of a deploy before. */
const LONG = Object.fromEntries(
  Array.from({ length: 30 }, (_, number) => [`${'n'.repeat(200)}${number}.txt`, `${number}`]),
);

/** More files than one thread works on. */
const MANY = Object.fromEntries(
  Array.from({ length: 900 }, (_, number) => [`many/${number}.txt`, `${number}`]),
);

/** What is published. */
const state = (root: string) => ({ manifest: manifestOf(root), files: deployed(root) });

const FULL = /ENOSPC.* The disk is full; what was published before is still there\.$/;

/** What a run says that fails; it is a failure that it does not. */
async function faultOf(run: Promise<unknown>): Promise<string> {
  return run.then(() => expect.fail('Nothing went wrong.'), messageOf);
}

function messageOf(fault: unknown): string {
  expect(fault).toMatchObject({ code: 'ERR_STATICFILES_COLLECT' });
  return (fault as Error).message;
}

/** What the same sources are collected as in a folder that was empty. */
async function coldTree(root: string, settings = {}): Promise<Record<string, string>> {
  const cold = site({});
  await filesOf(root, { staticRoot: join(cold, 'collected'), ...settings }).collect();
  return tree(cold);
}

describe.skipIf(!tmpfs.allowed)(`where the disk is full${tmpfs.why}`, () => {
  it.each([
    ['without compressed forms', {}, FIRST, SECOND, undefined],
    ['with them', { compress: true }, FIRST, SECOND, '.staticfiles/variants.json'],
    [
      'with much to remember',
      {},
      { ...FIRST, 'css/many.css': '@import "site.css";\n'.repeat(500) },
      SECOND,
      '.staticfiles/state.json',
    ],
    ['with many new names', {}, FIRST, { ...SECOND, ...LONG }, 'staticfiles.json'],
  ])(
    'every page less is an error that names a file, and what is published stays: %s',
    async (_, settings, first, second, last) => {
      const named = new Set<string>();
      let fits = false;
      for (let free = 0; !fits; free++) {
        expect(free).toBeLessThan(100);
        const root = site(first);
        const collected = join(root, 'collected');
        mount(collected);
        await filesOf(root, settings).collect();
        const before = state(root);
        change(root, second);
        fill(join(collected, 'filler'), collected, free);
        const fault = await filesOf(root, settings)
          .collect()
          .then(() => undefined, messageOf);
        fits = fault === undefined;
        if (fault !== undefined) {
          expect(fault).toMatch(FULL);
          named.add(/^'[^']+'|\/\S*\/collected[^:]*/.exec(fault)?.[0].replace(root, '') ?? fault);
          expect(state(root)).toEqual(before);
        }
        rmSync(join(collected, 'filler'));
        await filesOf(root, settings).collect({ clear: true, onEvent: waitsForNobody });
        expect(tree(root)).toEqual(await coldTree(root, settings));
        expect(leftBehind(root)).toEqual([]);
      }
      expect([...named]).toEqual(
        expect.arrayContaining(['/collected', "'css/site.css'", "'img/a.png'", "'js/new.js'"]),
      );
      if (last !== undefined) expect([...named]).toContain(`/collected/${last}`);
    },
  );

  it.each([
    ['a few files', {}],
    ['many, by several threads', MANY],
  ])('the command ends with status 1, and the next one heals: %s', async (_, files) => {
    const root = site({ ...FIRST, ...files });
    mount(join(root, 'collected'), 'size=16m');
    expect(await collectstatic(root)).toMatchObject({ status: 0 });
    const before = state(root);
    change(root, { 'big.bin': 'x'.repeat(20_000_000) });
    const { status, err } = await collectstatic(root);
    expect(err).toBe(
      `Error: 'big.bin' could not be collected from ${root}/static/big.bin: ENOSPC: no space left on device, write. The disk is full; what was published before is still there.\n`,
    );
    expect(status).toBe(1);
    expect(state(root)).toEqual(before);
    expect(leftBehind(root)).toEqual([]);
    remount(join(root, 'collected'), 'size=64m');
    expect(await collectstatic(root)).toMatchObject({ status: 0, err: '' });
    expect(tree(root)).toMatchObject(await coldTree(root));
  });

  it('so does one that may make no more files, whichever is the first', async () => {
    for (let inodes = 2; inodes < 12; inodes++) {
      const root = site(MANY);
      mount(join(root, 'collected'), `size=16m,nr_inodes=${inodes}`);
      const { status, err } = await collectstatic(root);
      expect(err).toMatch(/^Error: .*ENOSPC: no space left on device.* The disk is full;.*\n$/);
      expect(status).toBe(1);
      expect(existsSync(join(root, 'collected/staticfiles.json'))).toBe(false);
    }
  });
});

describe.skipIf(!other.able)(`without the right to do it${other.why}`, () => {
  /** Runs it as a user who is not root. */
  function run(root: string, ...args: string[]) {
    chmodSync(root, 0o755);
    return start(root, args, { user: other.user }).ended;
  }

  /** Takes the right to read, or to write, from everybody but root. */
  function forbid(path: string, mode: number): void {
    if (other.user !== undefined) chownSync(path, 0, 0);
    chmodSync(path, mode);
    onTestFinished(() => chmodSync(path, 0o755)); // it is to be removed
  }

  /** A site whose collected files belong to whom it runs as. */
  async function mine(files: Record<string, string>): Promise<string> {
    const root = site(files);
    mkdirSync(join(root, 'collected'));
    if (other.user !== undefined) chownSync(join(root, 'collected'), other.user, other.user);
    expect(await run(root)).toMatchObject({ status: 0, err: '' });
    return root;
  }

  it('a source that cannot be read is named', async () => {
    const root = await mine(FIRST);
    const before = state(root);
    change(root, { 'img/secret.png': 'x', 'img/a.png': 'changed' });
    forbid(join(root, 'static/img/secret.png'), 0o000);
    const { status, err } = await run(root);
    expect({ status, err }).toEqual({
      status: 1,
      err: `Error: 'img/secret.png' could not be collected from ${root}/static/img/secret.png: EACCES: permission denied, open '${root}/static/img/secret.png'. This user has no right to do that.\n`,
    });
    expect(state(root)).toEqual(before);
    chmodSync(join(root, 'static/img/secret.png'), 0o644);
    expect(await run(root)).toMatchObject({ status: 0, err: '' });
    expect(tree(root)).toMatchObject(await coldTree(root));
  });

  it('so is a folder of sources', async () => {
    const root = await mine(FIRST);
    forbid(join(root, 'static/img'), 0o000);
    const { status, err } = await run(root);
    chmodSync(join(root, 'static/img'), 0o755);
    expect(err).toBe(
      `Error: The folder ${root}/static/img cannot be read (EACCES). Give this user the right to read it, or ignore it.\n`,
    );
    expect(status).toBe(1);
  });

  it.each([
    ['the static root', 'collected', 'Files cannot be collected into ROOT/collected: EACCES'],
    [
      'the folder that runs need',
      'collected/.staticfiles',
      'Files cannot be collected into ROOT/collected: EACCES',
    ],
    [
      'a folder of collected files',
      'collected/img',
      "'img/a.png' could not be collected from ROOT/static/img/a.png: EACCES",
    ],
  ])('%s that cannot be written to is named', async (_, folder, message) => {
    const root = await mine(FIRST);
    const before = state(root);
    change(root, SECOND);
    forbid(join(root, folder), 0o555);
    if (folder === 'collected') forbid(join(root, 'collected/.staticfiles'), 0o555);
    const { status, err } = await run(root);
    chmodSync(join(root, folder), 0o777);
    expect(err).toContain(`Error: ${message.replaceAll('ROOT', root)}: permission denied`);
    expect(err).toMatch(/This user has no right to do that\.\n$/);
    expect(status).toBe(1);
    expect(state(root)).toEqual(before);
  });

  it('a folder that is for reading only can be looked at by a dry run', async () => {
    const root = await mine(FIRST);
    change(root, SECOND);
    forbid(join(root, 'collected'), 0o555);
    forbid(join(root, 'collected/.staticfiles'), 0o555);
    const { status, out, err } = await run(root, '--dry-run');
    chmodSync(join(root, 'collected'), 0o755);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toContain(`Pretending to copy '${root}/static/js/new.js'`);
  });

  it('files that belong to somebody else are copied where they may not be linked to', async () => {
    const root = site(FIRST);
    await filesOf(root).collect(); // as whoever runs the tests
    for (const folder of readdirSync(join(root, 'collected'), {
      recursive: true,
      encoding: 'utf8',
    })) {
      const path = join(root, 'collected', folder);
      if (statSync(path).isDirectory()) chmodSync(path, 0o777);
    }
    chmodSync(join(root, 'collected'), 0o777);
    rmSync(join(root, 'collected', published(root)['img/a.png'] as string));
    expect(await run(root)).toMatchObject({ status: 0, err: '' });
    expect(tree(root)).toEqual(await coldTree(root));
    expect((await filesOf(root).collect()).copied).toEqual([]);
  });
});

it.skipIf(!tmpfs.allowed)(`a file system for reading only is told${tmpfs.why}`, async () => {
  const root = site(FIRST);
  mount(join(root, 'collected'));
  await filesOf(root).collect();
  change(root, SECOND);
  remount(join(root, 'collected'), 'ro');
  const { status, err } = await collectstatic(root);
  expect(err).toMatch(
    /^Error: Files cannot be collected into .*EROFS.* mounted for reading only\.\n$/,
  );
  expect(status).toBe(1);
  expect((await filesOf(root).collect({ dryRun: true })).copied).toContain('js/new.js');
});

describe('sources that are not what they were said to be', () => {
  /** A finder of the user's own, who lists these. */
  function listing(...files: { name: string; path: string }[]): { finders: Finder[] } {
    return { finders: [{ find: () => [], list: () => files }] };
  }

  it.each(['gone.css', 'gone.js', 'gone.png'])('%s was never there', async (name) => {
    const root = site({});
    const path = join(root, 'static', name);
    expect(await faultOf(filesOf(root, listing({ name, path })).collect())).toBe(
      `'${name}' could not be collected from ${path}: ENOENT: no such file or directory, open '${path}'. The source vanished meanwhile; run collectstatic again.`,
    );
    expect(existsSync(join(root, 'collected/staticfiles.json'))).toBe(false);
  });

  it.each(['a.png', 'site.css', 'many/7.txt'])('%s vanishes after it was listed', async (name) => {
    const root = site({ ...MANY, 'a.png': 'a', 'site.css': 'a { background: url(a.png) }' });
    const path = join(root, 'static', name);
    await filesOf(root).collect();
    const before = state(root);
    change(root, { 'b.png': 'b', 'many/8.txt': 'changed' });
    const finder: Finder = {
      find: () => [],
      *list() {
        for (const each of ['a.png', 'b.png', 'site.css', ...Object.keys(MANY)]) {
          yield { name: each, path: join(root, 'static', each) };
        }
        rmSync(path);
      },
    };
    expect(await faultOf(filesOf(root, { finders: [finder] }).collect())).toMatch(
      `'${name}' could not be collected from ${path}: ENOENT`,
    );
    expect(state(root)).toEqual(before);
    expect(leftBehind(root)).toEqual([]);
    const { copied } = await filesOf(root).collect();
    const behind = name === 'a.png' ? ['site.css'] : []; // it named the other
    expect([...copied].sort()).toEqual(['b.png', 'many/8.txt', ...behind]);
    expect(Object.keys(published(root))).not.toContain(name);
  });

  it('a folder is no file', async () => {
    const root = site({ 'folder.css/x': '' });
    const path = join(root, 'static/folder.css');
    expect(await faultOf(filesOf(root, listing({ name: 'folder.css', path })).collect())).toBe(
      `'folder.css' could not be collected from ${path}: it is no file.`,
    );
  });

  it.skipIf(process.platform === 'win32')(
    'neither is a pipe, which is not waited for',
    async () => {
      const root = site({});
      const path = join(root, 'static/pipe.css');
      mkdirSync(join(root, 'static'));
      execFileSync('mkfifo', [path]);
      const run = filesOf(root, listing({ name: 'pipe.css', path })).collect();
      expect(await faultOf(run)).toContain('it is no file');
      const { warnings, copied } = await filesOf(root).collect();
      expect({ warnings, copied }).toEqual({
        warnings: [`${path} is left out: it is a device, a pipe or a socket.`],
        copied: [],
      });
    },
  );

  /** How a file is written over, again and again: programs do it in these ways. */
  const WRITERS = {
    'in place': 'fs.writeSync(file, body, 0, body.length, 0)',
    anew: 'fs.writeFileSync(path, body)',
    'in two steps': `{
      fs.writeFileSync(path, body.subarray(0, body.length / 2));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
      fs.appendFileSync(path, body.subarray(body.length / 2));
    }`,
  };

  /**
   * Who is held up for so long in the middle of a file looks to others as if that were whole: half of
   * what is waited for them, since the times of files lag behind.
   */
  const HELD_UP_MS = 10;

  /** A thread that writes a file over, all the time until the test ends. */
  async function writer(path: string, size: number, how: keyof typeof WRITERS) {
    const counts = new Int32Array(new SharedArrayBuffer(8));
    const thread = new Worker(
      `const fs = require('node:fs');
      const { path, size, counts } = require('node:worker_threads').workerData;
      const bodies = [...'ABCDEFGH'].map((letter) => Buffer.alloc(size, letter));
      const file = fs.openSync(path, 'r+');
      for (;;) {
        for (const body of bodies) {
          const started = performance.now();
          ${WRITERS[how]};
          if (performance.now() - started > ${HELD_UP_MS}) Atomics.add(counts, 1, 1);
          Atomics.add(counts, 0, 1);
        }
      }`,
      { eval: true, workerData: { path, size, counts } },
    );
    onTestFinished(() => void thread.terminate());
    /** Ends when the writing is over that goes on. */
    async function next(): Promise<void> {
      const written = Atomics.load(counts, 0);
      while (Atomics.load(counts, 0) === written) await pause(1);
    }
    await next();
    return {
      stop: () => thread.terminate(),
      /** How often it was held up while it wrote, also if it goes on with that. */
      async heldUp(): Promise<number> {
        await next();
        return Atomics.load(counts, 1);
      },
    };
  }

  it.each([
    ['x.bin', 900_000, 'in place'],
    ['x.bin', 3_000_000, 'in place'],
    ['x.css', 900_000, 'anew'],
    ['x.bin', 3_000_000, 'anew'],
    ['x.css', 3_000_000, 'in two steps'],
    ['x.bin', 3_000_000, 'in two steps'],
  ] as const)(
    '%s of %i bytes, written all the time %s, is collected whole or not at all',
    async (name, size, how) => {
      const root = site({ [name]: 'A'.repeat(size) });
      const path = join(root, 'static', name);
      const { heldUp, stop } = await writer(path, size, how);
      for (let run = 0; run < 8; run++) {
        const before = await heldUp();
        const fault = await filesOf(root)
          .collect()
          .then(() => undefined, messageOf);
        const isLikeWhole = (await heldUp()) > before;
        if (fault !== undefined) {
          expect(fault).toContain(`${path}: it changes while it is read; run collectstatic again`);
        } else if (!isWhole(root, name, size)) expect(isLikeWhole, 'torn').toBe(true);
      }
      await stop();
      writeFileSync(path, 'Z'.repeat(size));
      await filesOf(root).collect();
      expect(isWhole(root, name, size)).toBe(true);
    },
  );

  /** Whether it was collected in one of its versions; what its name says of it, is true in any case. */
  function isWhole(root: string, name: string, size: number): boolean {
    const hashedName = published(root)[name] as string;
    const body = readFileSync(join(root, 'collected', hashedName));
    expect(hashedName).toContain(`.${digestOf(body)}.`);
    return body.equals(Buffer.alloc(size, body[0]));
  }

  it('a source that changes between its two readings is told', async () => {
    // More than is kept in memory between scanning and rewriting, so that the first is read again.
    const large = `a { background: url(x.png) }\n${'b { color: red }\n'.repeat(2_200_000)}`;
    const root = site({ 'large.css': large, 'x.png': 'x' });
    const path = join(root, 'static/large.css');
    const onEvent = (event: { type: string; stage?: string; done?: number; total?: number }) => {
      if (event.stage !== 'reading' || event.done !== event.total) return;
      writeFileSync(path, `/* new */${large}`);
    };
    expect(await faultOf(filesOf(root).collect({ onEvent }))).toBe(
      `'large.css' could not be collected from ${path}: it changed while files were collected; run collectstatic again when it is whole.`,
    );
    expect(existsSync(join(root, 'collected/staticfiles.json'))).toBe(false);
    await filesOf(root).collect();
    expect(readFileSync(join(root, 'collected/large.css'), 'utf8').startsWith('/* new */')).toBe(
      true,
    );
  });
});

describe('what stands in the way', () => {
  it.each([
    ['a plain name', 'img/a.png', FIRST],
    ['a hashed name', undefined, FIRST],
    ['the plain name of a stylesheet', 'css/site.css', FIRST],
    ['a plain name among many', 'many/7.txt', MANY],
  ])('is a folder, for %s', async (_, plain, files) => {
    const root = site(files);
    const expected = await coldTree(root);
    const hashed = Object.keys(expected).find((name) => /^img\/a\.\w{12}\.png$/.test(name));
    const name = plain ?? (hashed as string);
    const folder = join(root, 'collected', name);
    add(folder, { 'mine/keep.txt': 'mine' });
    const { status, err } = await collectstatic(root);
    expect(err).toMatch(
      new RegExp(
        `^Error: '[^']+' could not be collected from ${root}/static/.*A folder stands in a file's place, or a file in a folder's; --clear removes it\\.\n$`,
      ),
    );
    expect(status).toBe(1);
    expect(readFileSync(join(folder, 'mine/keep.txt'), 'utf8')).toBe('mine');
    expect(existsSync(join(root, 'collected/staticfiles.json'))).toBe(false);
    expect(await collectstatic(root, '--clear')).toMatchObject({ status: 0, err: '' });
    expect(tree(root)).toEqual(expected);
  });

  it.each(['img', 'css'])('is a file in the place of the folder %s', async (name) => {
    const root = site(FIRST);
    add(root, { [`collected/${name}`]: 'mine' });
    const { status, err } = await collectstatic(root);
    expect(err).toContain(`Error: '${name}/`);
    expect(err).toContain(
      "A folder stands in a file's place, or a file in a folder's; --clear removes it.",
    );
    expect(status).toBe(1);
    expect(readFileSync(join(root, 'collected', name), 'utf8')).toBe('mine');
    expect(await collectstatic(root, '--clear')).toMatchObject({ status: 0, err: '' });
    expect(tree(root)).toEqual(await coldTree(root));
  });

  it('is what an earlier deploy had there: a file that is a folder now, and the reverse', async () => {
    const root = site({ 'a.css': 'a', 'lib/x.css': 'x' });
    await filesOf(root).collect();
    const before = state(root);
    rmSync(join(root, 'static'), { recursive: true });
    change(root, { 'a.css/index.css': 'a', lib: 'x' });
    expect(await faultOf(filesOf(root).collect())).toContain('--clear removes it');
    expect(state(root)).toEqual(before);
    await filesOf(root).collect({ clear: true });
    expect(tree(root)).toEqual(await coldTree(root));
  });

  it('is a folder in the place of a compressed form', async () => {
    const root = site({ 'a.css': 'a { color: red }\n'.repeat(50) }, { compress: true });
    add(root, { 'collected/a.css.br/x': 'x' });
    expect(await faultOf(filesOf(root, { compress: true }).collect())).toContain(
      '--clear removes it',
    );
    await filesOf(root, { compress: true }).collect({ clear: true });
    expect(tree(root)).toEqual(await coldTree(root, { compress: true }));
  });

  it('is a source folder that is named as a compressed form is: that form is left out', async () => {
    const files = { 'a.css': 'a { color: red }\n'.repeat(50), 'a.css.br/x.css': 'x' };
    const root = site(files);
    for (const clear of [false, true]) {
      await filesOf(root, { compress: true }).collect({ clear });
      expect(readFileSync(join(root, 'collected/a.css.br/x.css'), 'utf8')).toBe('x');
      expect(existsSync(join(root, 'collected/a.css.gz'))).toBe(true);
      await filesOf(root).collect({ clear });
      expect(readFileSync(join(root, 'collected/a.css.br/x.css'), 'utf8')).toBe('x');
    }
  });
});

describe('names', () => {
  const long = (length: number, end = '.css') => `${'n'.repeat(length - end.length)}${end}`;

  it('whose hashed twin is just short enough are collected', async () => {
    const root = site({ [`deep/${long(242)}`]: 'x', [`${'ü'.repeat(119)}.css`]: 'x' });
    await filesOf(root).collect();
    expect(Object.values(published(root)).map((name) => Buffer.byteLength(name))).toEqual([
      260, 255,
    ]);
    expect((await filesOf(root).collect()).copied).toEqual([]);
  });

  it.each([
    ['a file', `deep/${long(243)}`, 'x'],
    ['a file of the longest name', long(255), 'x'],
    ['one of fewer characters than bytes', `${'ü'.repeat(120)}.css`, 'x'],
    ['a stylesheet with references', long(243), 'a { background: url(a.png) }'],
    ['a file without an extension', long(243, ''), 'x'],
  ])('whose hashed twin is too long are told: %s', async (_, name, content) => {
    const root = site({ 'a.png': 'a' });
    await filesOf(root).collect();
    const before = state(root);
    change(root, { [name]: content });
    const { status, err } = await collectstatic(root);
    expect(err).toContain(
      `Error: '${name}' could not be collected from ${root}/static/${name}: ENAMETOOLONG`,
    );
    expect(err).toContain(
      'With its hash, the name is longer than the file system takes: give the file a shorter one.',
    );
    expect(status).toBe(1);
    expect(state(root)).toEqual(before);
    expect(leftBehind(root)).toEqual([]);
  });

  it('whose compressed forms’ are too long have none', async () => {
    const name = long(240);
    const root = site({ [name]: 'a { color: red }\n'.repeat(50) });
    await filesOf(root, { compress: true }).collect();
    const collected = readdirSync(join(root, 'collected'));
    expect(collected).toContain(name);
    expect(collected.filter((entry) => /\.(?:br|gz)$/.test(entry))).toEqual([]);
  });
});

describe('symbolic links', () => {
  it('to nowhere and in circles are left out of the sources, with a warning each', async () => {
    const root = site({ 'a.css': '@import "loop.css"; @import "gone.css";' });
    symlinkSync('nowhere.css', join(root, 'static/gone.css'));
    symlinkSync('loop.css', join(root, 'static/loop.css'));
    symlinkSync('two', join(root, 'static/one'));
    symlinkSync('one', join(root, 'static/two'));
    symlinkSync('..', join(root, 'static/up'));
    const { status, err } = await collectstatic(root);
    expect(status).toBe(0);
    for (const name of ['gone.css', 'loop.css', 'one', 'two', 'up']) {
      expect(err).toContain(`${root}/static/${name} is `);
    }
    expect(err).toMatch(
      /a\.css:1:10: loop\.css is not found[\s\S]*a\.css:1:30: gone\.css is not found/,
    );
    expect(Object.keys(published(root))).toEqual(['a.css']);
  });

  it('that finders of one’s own list, and that lead nowhere, are told', async () => {
    const root = site({});
    const path = join(root, 'x.css');
    symlinkSync('x.css', path);
    const finders: Finder[] = [{ find: () => [], list: () => [{ name: 'x.css', path }] }];
    expect(await faultOf(filesOf(root, { finders }).collect())).toMatch(
      /'x\.css' could not .*ELOOP/,
    );
    rmSync(path);
    symlinkSync('nowhere', path);
    expect(await faultOf(filesOf(root, { finders }).collect())).toMatch(
      /'x\.css' could not .*ENOENT/,
    );
  });

  it('in the place of folders are written through, and with --clear they go first', async () => {
    const root = site(FIRST);
    const elsewhere = project({ 'mine.txt': 'mine' });
    mkdirSync(join(root, 'collected'));
    symlinkSync(elsewhere, join(root, 'collected/img'));
    expect(await collectstatic(root)).toMatchObject({ status: 0 });
    expect(readdirSync(elsewhere)).toContain('a.png');
    change(root, SECOND);
    const there = readdirSync(elsewhere);
    expect(await collectstatic(root, '--clear')).toMatchObject({ status: 0 });
    expect(lstatSync(join(root, 'collected/img')).isDirectory()).toBe(true);
    expect(readdirSync(elsewhere)).toEqual(there);
    expect(tree(root)).toEqual(await coldTree(root));
  });

  it('in the place of files are replaced, and not written through', async () => {
    const root = site(FIRST);
    add(root, { 'mine.txt': 'mine' });
    const hashedName = Object.keys(await coldTree(root)).find((name) =>
      /b\.\w{12}\.png/.test(name),
    );
    for (const name of ['img/a.png', hashedName as string, 'staticfiles.json', 'css/site.css']) {
      mkdirSync(join(root, 'collected', name, '..'), { recursive: true });
      if (name !== 'staticfiles.json')
        symlinkSync(join(root, 'mine.txt'), join(root, 'collected', name));
    }
    expect(await collectstatic(root)).toMatchObject({ status: 0, err: '' });
    expect(readFileSync(join(root, 'mine.txt'), 'utf8')).toBe('mine');
    expect(tree(root)).toEqual(await coldTree(root));
  });

  it('may be the static root itself', async () => {
    const root = site(FIRST);
    const real = project({});
    symlinkSync(real, join(root, 'collected'));
    for (const args of [[], ['--clear']]) {
      expect(await collectstatic(root, ...args)).toMatchObject({ status: 0, err: '' });
      change(root, SECOND);
    }
    expect(realpathSync(join(root, 'collected'))).toBe(real);
    expect(existsSync(join(real, 'staticfiles.json'))).toBe(true);
    change(root, FIRST);
    await filesOf(root).collect({ clear: true });
    expect(tree(root)).toEqual(await coldTree(root));
  });

  it('to nowhere cannot be the static root', async () => {
    const root = site(FIRST);
    symlinkSync('nowhere', join(root, 'collected'));
    const { status, err } = await collectstatic(root);
    expect(err).toContain(`Error: Files cannot be collected into ${root}/collected: `);
    expect(status).toBe(1);
  });
});

describe('a damaged manifest', () => {
  const damages: [string, (text: string) => string][] = [
    ['cut off', (text) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['no JSON', () => 'not JSON'],
    ['other JSON', () => '{"name": "package"}'],
    ['a list', () => '[]'],
    ['of a version to come', (text) => text.replace('"1.0"', '"9"')],
    ['with names that lead out', (text) => text.replace(/: "js\/app[^"]*"/, ': "../../x.js"')],
  ];

  it.each(damages)('that is %s is refused and named, and --clear repairs it', async (_, damage) => {
    const root = site(FIRST);
    await filesOf(root).collect();
    const manifest = join(root, 'collected/staticfiles.json');
    writeFileSync(manifest, damage(manifestOf(root)));
    const before = tree(root);
    for (const files of [{}, SECOND]) {
      change(root, files);
      const { status, err } = await collectstatic(root);
      expect(err).toContain(
        'Error: The manifest of the last deploy cannot be read, and nothing was changed. ',
      );
      expect(err).toContain(manifest);
      expect(err).toContain('collectstatic --clear forgets it');
      expect(status).toBe(1);
      expect(tree(root)).toEqual(before);
      expect(leftBehind(root)).toEqual([]);
    }
    expect(await collectstatic(root, '--clear')).toMatchObject({ status: 0, err: '' });
    expect(tree(root)).toEqual(await coldTree(root));
    expect(await collectstatic(root)).toMatchObject({ status: 0, err: '' });
  });

  it.each(['state.json', 'variants.json'])(
    'is no such thing as a damaged %s: all is looked at again',
    async (file) => {
      const root = site(FIRST);
      const settings = { compress: true };
      await filesOf(root, settings).collect();
      const path = join(root, 'collected/.staticfiles', file);
      const whole = readFileSync(path, 'utf8');
      const expected = await coldTree(root, settings);
      const cuts = Array.from({ length: 20 }, (_, part) =>
        whole.slice(0, (whole.length * part) / 20),
      );
      for (const text of [
        ...cuts,
        'null',
        '[]',
        '{}',
        '[null]',
        '[[1]]',
        '{"version":1,"files":[null]}',
        whole.replaceAll(/\d\d/g, '17'),
      ]) {
        writeFileSync(path, text);
        const { copied, hashed } = await filesOf(root, settings).collect();
        expect([text.slice(0, 40), copied.length < 7, hashed.length]).toEqual([
          text.slice(0, 40),
          true,
          6,
        ]);
        expect(tree(root)).toEqual(expected);
      }
    },
  );
});

describe('several runs at once', () => {
  it.each([2, 5])('%i wait for one another, and all come to the same end', async (count) => {
    const root = site({ ...FIRST, ...MANY });
    // The first that is at work is this one, until all others are there.
    const lock = await takeLock(join(root, 'collected/.staticfiles/lock'), () => expect.fail());
    const runs = Array.from({ length: count }, () => start(root));
    for (const { err } of runs) {
      await expect.poll(err).toContain('Another collectstatic is at work here');
    }
    lock.release();
    const ends = await Promise.all(runs.map((run) => run.ended));
    expect(ends.map(({ status }) => status)).toEqual(runs.map(() => 0));
    const copied = ends.filter(({ out }) => out.includes(`${906} static files copied`));
    expect(copied).toHaveLength(1);
    expect(tree(root)).toEqual(await coldTree(root));
    expect(leftBehind(root)).toEqual([]);
  });

  it('are whole while the sources change under them', async () => {
    const root = site({ ...FIRST, ...MANY });
    const runs = [start(root), start(root, ['--clear'])];
    await pause(100);
    change(root, SECOND);
    runs.push(start(root));
    const ends = await Promise.all(runs.map((run) => run.ended));
    expect(ends.map(({ status, err }) => status === 0 || err)).toEqual([true, true, true]);
    expect(await collectstatic(root, '--clear')).toMatchObject({ status: 0 });
    expect(tree(root)).toEqual(await coldTree(root));
  });

  it('of a storage without hashed names wait as well', async () => {
    const root = site({ ...FIRST, ...MANY });
    const runs = Array.from({ length: 3 }, () => start(root, ['--no-post-process']));
    const ends = await Promise.all(runs.map((run) => run.ended));
    expect(ends.map(({ status, err }) => status === 0 || err)).toEqual([true, true, true]);
    expect(Object.keys(tree(root))).toHaveLength(906);
    expect(existsSync(join(root, 'collected/.staticfiles'))).toBe(false);
  });

  it.each([1, 4])('take over at once from one that was killed: %i', async (count) => {
    const root = site({ ...FIRST, ...MANY });
    // By then it has the lock, and has begun to write files.
    const first = start(root, [], { preload: KILL_AT, env: { KILL_AT: '60' } });
    expect(await first.ended).toMatchObject({ status: null });
    expect(existsSync(join(root, 'collected/.staticfiles/lock'))).toBe(true);
    const runs = Array.from({ length: count }, () => start(root));
    const ends = await Promise.all(runs.map((run) => run.ended));
    expect(ends.map(({ status, err }) => status === 0 || err)).toEqual(runs.map(() => true));
    for (const { err } of ends) expect(err).not.toContain(`process ${first.pid} on`);
    expect(tree(root)).toEqual(await coldTree(root));
    expect(leftBehind(root)).toEqual([]);
  });

  it('wait for one on another host, until that is silent for a minute', async () => {
    const root = site(FIRST);
    const lock = join(root, 'collected/.staticfiles/lock');
    add(root, { 'collected/.staticfiles/lock': '{"token":"t","pid":1,"host":"elsewhere"}' });
    const run = start(root);
    await expect.poll(run.err).toContain('(process 1 on elsewhere); waiting for its end.');
    expect(existsSync(join(root, 'collected/staticfiles.json'))).toBe(false);
    const past = new Date(Date.now() - 70_000);
    utimesSync(lock, past, past);
    expect(await run.ended).toMatchObject({ status: 0 });
    expect(tree(root)).toEqual(await coldTree(root));
  });

  it.each([
    ['removed', (lock: string) => rmSync(lock)],
    [
      'taken over by another',
      (lock: string) => writeFileSync(lock, `{"token":"t","pid":1,"host":"${hostname()}"}`),
    ],
  ])('publish nothing where the lock is %s', async (_, take) => {
    const root = site(FIRST);
    await filesOf(root).collect();
    const before = state(root);
    change(root, SECOND);
    const onEvent = (event: { type: string; stage?: string }) => {
      const lock = join(root, 'collected/.staticfiles/lock');
      if (event.stage === 'rewriting' && existsSync(lock)) take(lock);
    };
    expect(await faultOf(filesOf(root).collect({ onEvent }))).toMatch(
      /Another run .* nothing was published/,
    );
    expect(state(root)).toEqual(before);
    rmSync(join(root, 'collected/.staticfiles/lock'), { force: true });
    await filesOf(root).collect({ clear: true });
    expect(tree(root)).toEqual(await coldTree(root));
  });

  it('say so too where another has swept what this one was writing', async () => {
    const root = site(FIRST);
    let swept = false;
    const onEvent = (event: { type: string; stage?: string }) => {
      if (event.stage !== 'reading' || swept) return;
      swept = true;
      const desk = join(root, 'collected/.staticfiles');
      for (const name of readdirSync(desk)) rmSync(join(desk, name), { recursive: true });
    };
    expect(await faultOf(filesOf(root).collect({ onEvent }))).toMatch(
      /Another run .* nothing was published/,
    );
    expect(existsSync(join(root, 'collected/staticfiles.json'))).toBe(false);
  });
});

describe('content that no scanner likes', () => {
  const LATIN1 = Buffer.from('a { background: url(x.png); content: "\xe9" }', 'latin1');
  const utf16 = (text: string) =>
    Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);

  it('is hashed and left alone, with a warning each', async () => {
    const root = site({
      'latin1.css': LATIN1,
      'latin1.js': Buffer.from("import './x.js'; // \xe9", 'latin1'),
      'utf16.css': utf16('a { background: url(x.png) }'),
      'utf16.js': utf16("import './x.js';"),
      'broken.js': "import './x.js'; ((( `",
      'bytes.css': Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 7) % 256)),
      'zeros.js': Buffer.alloc(4096),
      'x.png': 'x',
      'x.js': '',
    });
    const { status, err } = await collectstatic(root);
    expect(status).toBe(0);
    for (const name of ['latin1.css', 'latin1.js', 'utf16.css', 'utf16.js', 'bytes.css']) {
      expect(err).toContain(`${name}: references in it are left as they are, for it is not UTF-8.`);
    }
    expect(err).toContain(
      'broken.js: references in it are left as they are, for it does not parse',
    );
    for (const [name, hashedName] of Object.entries(published(root))) {
      const source = readFileSync(join(root, 'static', name));
      expect(readFileSync(join(root, 'collected', hashedName)).equals(source)).toBe(true);
      expect(hashedName).toContain(`.${digestOf(source)}.`);
    }
  });

  it('may be none at all', async () => {
    const root = site(
      { 'e.css': '', 'e.js': '', 'e.mjs': '', 'e.map': '', 'e.png': '', e: '' },
      { compress: true },
    );
    for (let run = 0; run < 2; run++) {
      expect(await collectstatic(root)).toMatchObject({ status: 0, err: '' });
      expect(Object.values(published(root))).toEqual([
        'e.d41d8cd98f00',
        'e.d41d8cd98f00.css',
        'e.d41d8cd98f00.js',
        'e.d41d8cd98f00.map',
        'e.d41d8cd98f00.mjs',
        'e.d41d8cd98f00.png',
      ]);
      expect(Object.keys(tree(root))).toHaveLength(13);
    }
  });

  const MB = 1 << 20;
  const filled = (text: string, size: number) => text.repeat(Math.ceil((size * MB) / text.length));

  it.each([
    [
      '50 MB of CSS',
      'one.css',
      filled(`a{background:url(x.png)}${'b{color:red}'.repeat(200)}`, 50),
    ],
    [
      '50 MB of CSS that is not ASCII',
      'one.css',
      filled(`a{background:url(x.png)}${'b{content:"ü"}'.repeat(200)}`, 50),
    ],
    [
      '50 MB of JavaScript',
      'one.js',
      filled(`import'./x.js';${'f(1,"two",`three`);'.repeat(200)}`, 50),
    ],
    [
      '50 MB of JavaScript that is not ASCII',
      'one.js',
      filled(`import'./x.js';${'f("ü");'.repeat(200)}`, 50),
    ],
    ['10 MB of nothing but references', 'one.css', filled('a{background:url(x.png)}', 10)],
    ['10 MB of nothing but imports', 'one.js', filled("import'./x.js';", 10)],
  ])(
    'may be one long line: %s',
    async (_, name, text) => {
      const root = site({ [name]: text, 'x.png': 'x', 'x.js': 'x' });
      const ended = await collectstatic(root);
      expect(ended).toMatchObject({ status: 0, err: '' });
      console.log(
        `${name}: ${Math.round(ended.memory / MB)} MB, ${Math.round(ended.cpuMilliseconds)} ms`,
      );
      expect(ended.memory).toBeLessThan(1000 * MB);
      expect(ended.cpuMilliseconds).toBeLessThan(30_000);
      const body = readFileSync(join(root, 'collected', published(root)[name] as string), 'utf8');
      expect(body.slice(0, 60)).toContain('x.9dd4e461268c.');
      expect(published(root)[name]).toContain(digestOf(Buffer.from(body)));
      expect(readFileSync(join(root, 'collected', name), 'utf8') === text).toBe(true);
    },
    120_000,
  );

  it('may be a film, which is copied part by part', async () => {
    const root = site({ 'film.mp4': 'begin' });
    const path = join(root, 'static/film.mp4');
    truncateSync(path, 300 * MB);
    const file = openSync(path, 'r+');
    writeSync(file, 'end', 300 * MB - 3);
    ftruncateSync(file, 300 * MB);
    closeSync(file);
    const ended = await collectstatic(root);
    expect(ended).toMatchObject({ status: 0, err: '' });
    expect(ended.memory).toBeLessThan(250 * MB);
    const md5 = execFileSync(process.execPath, [
      '-e',
      "const hash = crypto.createHash('md5'); fs.createReadStream(process.argv[1]).on('data', (part) => hash.update(part)).on('end', () => console.log(hash.digest('hex')))",
      path,
    ]);
    const hashedName = `film.${md5.toString().slice(0, 12)}.mp4`;
    expect(published(root)).toEqual({ 'film.mp4': hashedName });
    const [plain, hashed] = ['film.mp4', hashedName].map((name) =>
      statSync(join(root, 'collected', name)),
    );
    expect(plain?.size).toBe(300 * MB);
    expect(hashed?.ino).toBe(plain?.ino);
  }, 120_000);
});

describe.skipIf(!tmpfs.allowed)(`where there can be no hard links${tmpfs.why}`, () => {
  it('both names are there, and the second run touches neither', async () => {
    const root = site({ ...FIRST, 'img/large.bin': 'x'.repeat(3 << 20) });
    const settings = { compress: true };
    mount(join(root, 'collected/img'), 'size=32m');
    mount(join(root, 'collected/js'), 'size=32m');
    await filesOf(root, settings).collect();
    expect(tree(root)).toEqual(await coldTree(root, settings));
    for (const name of Object.keys(tree(root))) {
      expect(statSync(join(root, 'collected', name)).mode & 0o777).toBe(0o644);
    }
    await pause(100); // sources that changed this moment are read again
    await filesOf(root, settings).collect();
    const before = stamps(root);
    const { copied, compressed } = await filesOf(root, settings).collect();
    expect({ copied, made: compressed.made }).toEqual({ copied: [], made: 0 });
    expect(stamps(root)).toEqual(before);
    change(root, SECOND);
    const again = await filesOf(root, settings).collect({ clear: true });
    expect([...again.copied].sort()).toEqual([
      'css/import.css',
      'css/site.css',
      'img/a.png',
      'js/app.js',
      'js/new.js',
      'js/part.js',
    ]);
    expect(tree(root)).toEqual(await coldTree(root, settings));
    expect(leftBehind(root)).toEqual([]);
  });

  /** When each file was put into its place. */
  function stamps(root: string): Record<string, number> {
    const names = Object.keys(tree(root));
    return Object.fromEntries(
      names.map((name) => [name, statSync(join(root, 'collected', name)).ctimeMs]),
    );
  }
});

describe('threads', () => {
  it('that end before their work is done are told', async () => {
    const root = site(MANY);
    configure(root);
    const preload = `data:text/javascript,${encodeURIComponent(
      `import { isMainThread, parentPort } from 'node:worker_threads';
      if (!isMainThread) parentPort.on('message', ({ task }) => task && process.exit(3));`,
    )}`;
    const { status, err } = await start(root, [], { preload }).ended;
    expect(err).toContain('Error: A thread ended before its work was done.');
    expect(status).toBe(1);
    expect(existsSync(join(root, 'collected/staticfiles.json'))).toBe(false);
    expect(await collectstatic(root)).toMatchObject({ status: 0 });
    expect(tree(root)).toEqual(await coldTree(root));
  });
});
