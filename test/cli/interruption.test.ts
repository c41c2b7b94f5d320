import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BIN, start } from '../process.js';
import { add, project } from '../project.js';
import { hashedProject } from './hashed-project.js';
import { run } from './run.js';

const INDEX = new URL('../../dist/src/index.js', import.meta.url).href;

const SOURCES = { 'site/a.txt': 'a', 'site/b.txt': 'b', 'site/c.txt': 'c' };

/** Where the collected files are, and under which names. */
interface Kind {
  readonly isElsewhere: boolean;
  readonly isHashed: boolean;
}

/**
 * A project that sends itself the signal INTERRUPT_BY, and goes no further, before it does to a file what
 * INTERRUPT_AT says: `write b.txt`, `delete old.txt`. Elsewhere is a folder too, which does not tell so.
 */
function interruptedProject({ isElsewhere, isHashed }: Kind, more = ''): string {
  return project({
    'staticfiles.config.mjs': `import { fileSystemStorage, hashedStorage } from ${JSON.stringify(INDEX)};
      const { INTERRUPT_AT, INTERRUPT_BY } = process.env;
      async function reach(step) {
        if (!INTERRUPT_AT || !step.startsWith(INTERRUPT_AT)) return;
        process.kill(process.pid, INTERRUPT_BY);
        await new Promise(() => setInterval(() => {}, 1000));
      }
      const root = new URL('collected', import.meta.url).pathname;
      const { attach, path, direct, ...files } = fileSystemStorage({ root, baseUrl: '/static/' });
      const before = (verb, call) => async (name, ...rest) => {
        await reach(verb + ' ' + name);
        return call(name, ...rest);
      };
      const over = {
        ...files,
        ...(${isElsewhere} ? { location: 'far:', concurrency: 1 } : { path, direct }),
        write: before('write', files.write),
        writeFile: before('write', files.writeFile),
        delete: before('delete', files.delete),
      };
      ${more}
      export default {
        dirs: ['site'],
        debug: false,
        storage: ${isHashed} ? hashedStorage({ over }) : over,
        prehashed(name) { void reach('hash ' + name); return false; },
      };`,
    ...SOURCES,
  });
}

type Signal = 'SIGINT' | 'SIGTERM';

/** Runs the command up to that step, where it is interrupted; without a step, to its end. */
async function command(root: string, args: readonly string[], at = '', by: Signal = 'SIGINT') {
  const running = start([BIN, ...args], root, { INTERRUPT_AT: at, INTERRUPT_BY: by });
  await new Promise((resolve) => running.process.on('close', resolve));
  const { exitCode: status, signalCode: signal } = running.process;
  return { status, signal, out: running.out(), err: running.err() };
}

const manifestOf = (root: string) => readFileSync(`${root}/collected/staticfiles.json`, 'utf8');

const HERE = { isElsewhere: false, isHashed: true };
const ELSEWHERE = { isElsewhere: true, isHashed: true };

const BEFORE = 'Interrupted before the manifest was replaced: what was deployed before stands.';
const AMID =
  'Interrupted while the manifest was replaced: either this deploy stands by now, or what was deployed before.';
const AFTER = 'Interrupted after the manifest was replaced: this deploy stands.';
const CLEARING =
  'Interrupted while clearing: this deploy stands, but not all is deleted that was to be. Run it again to go on.\n';
const AGAIN = ' Run it again to go on.\n';
const RESENT = ' Run it again to go on; what has arrived under a hashed name is not sent again.\n';

describe('collectstatic that is interrupted', () => {
  it.each([
    { kind: HERE, at: 'hash b.txt', says: BEFORE + AGAIN, stands: 'old' },
    { kind: HERE, at: 'write staticfiles.json', says: AMID + AGAIN, stands: 'old' },
    { kind: HERE, at: 'write .staticfiles/manifests/', says: `${AFTER}\n`, stands: 'new' },
    { kind: ELSEWHERE, at: 'write .staticfiles/manifests/', says: BEFORE + RESENT, stands: 'old' },
    { kind: ELSEWHERE, at: 'write b.', says: BEFORE + RESENT, stands: 'old' },
    { kind: ELSEWHERE, at: 'write staticfiles.json', says: AMID + RESENT, stands: 'old' },
  ] as const)('says what stands: $kind, at $at', async ({ kind, at, says, stands }) => {
    const root = interruptedProject(kind);
    expect((await command(root, ['collectstatic'])).status).toBe(0);
    const old = manifestOf(root);
    add(root, { 'site/a.txt': 'A', 'site/b.txt': 'B' });
    const ended = await command(root, ['collectstatic'], at);
    expect(ended).toEqual({ status: null, signal: 'SIGINT', out: '', err: says });
    expect(manifestOf(root) === old ? 'old' : 'new').toBe(stands);
    expect((await command(root, ['collectstatic'])).status).toBe(0);
    for (const name of ['a', 'b']) {
      const { [`${name}.txt`]: hashedName } = JSON.parse(manifestOf(root)).paths;
      expect(readFileSync(`${root}/collected/${hashedName}`, 'utf8')).toBe(name.toUpperCase());
    }
    expect(existsSync(`${root}/collected/.staticfiles/lock`)).toBe(false);
  });

  it('does not send again what has arrived under a hashed name', async () => {
    const root = interruptedProject(ELSEWHERE);
    await command(root, ['collectstatic'], 'write c.', 'SIGTERM');
    const { out } = await command(root, ['collectstatic', '--json']);
    // One under its hashed name, and three under their plain ones.
    expect(JSON.parse(out)).toMatchObject({ sent: { files: 4, bytes: 4 }, published: true });
  });

  it.each([
    { isElsewhere: false, isHashed: false },
    { isElsewhere: true, isHashed: false },
  ])('says that names without a manifest are new one by one: %j', async (kind) => {
    const root = interruptedProject(kind);
    const ended = await command(root, ['collectstatic'], 'write b.txt', 'SIGTERM');
    expect(ended).toEqual({
      status: null,
      signal: 'SIGTERM',
      out: '',
      err: `Interrupted. Without a manifest, files take their places one by one: some may be new by now, the rest is not.${AGAIN}`,
    });
    expect(existsSync(`${root}/collected/b.txt`)).toBe(false);
    expect(await command(root, ['collectstatic'])).toMatchObject({ status: 0, err: '' });
    expect(readFileSync(`${root}/collected/b.txt`, 'utf8')).toBe('b');
  });

  it('says so while it clears', async () => {
    for (const kind of [HERE, ELSEWHERE]) {
      const root = interruptedProject(kind);
      add(root, { 'collected/old.txt': 'old' });
      const ended = await command(root, ['collectstatic', '--clear'], 'delete old.txt');
      expect(ended).toMatchObject({ signal: 'SIGINT', err: CLEARING });
      expect(await command(root, ['collectstatic', '--clear'])).toMatchObject({ status: 0 });
      expect(existsSync(`${root}/collected/old.txt`)).toBe(false);
    }
    const plain = interruptedProject({ isElsewhere: false, isHashed: false });
    add(plain, { 'collected/old.txt': 'old' });
    const { err } = await command(plain, ['collectstatic', '--clear'], 'delete old.txt');
    expect(err).toMatch(/^Interrupted while clearing: every file is in its place, but not all /);
  });

  it('says what is left to clear, and that a dry run has changed nothing', async () => {
    const root = interruptedProject(HERE);
    await command(root, ['collectstatic']);
    add(root, { 'site/a.txt': 'another a' });
    const published = 'write .staticfiles/manifests/';
    expect((await command(root, ['collectstatic', '-c'], published)).err).toBe(
      `${AFTER} Run it again to clear what is left over.\n`,
    );
    add(root, { 'site/a.txt': 'A' });
    expect((await command(root, ['collectstatic', '-n'], 'hash a.txt')).err).toBe(
      'Interrupted. Nothing has changed, for this was a dry run.\n',
    );
  });

  it.each(['--verbosity=0', '--json'])('says so for %s too', async (option) => {
    const root = interruptedProject(HERE);
    const ended = await command(root, ['collectstatic', option], 'hash a.txt');
    expect(ended).toEqual({ status: null, signal: 'SIGINT', out: '', err: BEFORE + AGAIN });
  });

  it('ends also where the signal alone would not end it, as in a container', async () => {
    for (const [by, status] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const root = interruptedProject(HERE, `process.on('${by}', () => {});`);
      const ended = await command(root, ['collectstatic'], 'hash a.txt', by);
      expect(ended).toEqual({ status, signal: null, out: '', err: BEFORE + AGAIN });
    }
  });

  it('listens no longer than it works', async () => {
    const listeners = () => ['SIGINT', 'SIGTERM'].map((signal) => process.listenerCount(signal));
    const before = listeners();
    const root = hashedProject({ 'a.css': 'url(gone.png)' });
    expect((await run(root, ['collectstatic'])).status).toBe(0);
    expect((await run(root, ['prune'])).status).toBe(0);
    expect((await run(root, ['collectstatic', '--strict'])).status).toBe(1);
    expect(listeners()).toEqual(before);
  });
});

describe('prune that is interrupted', () => {
  it.each([HERE, ELSEWHERE])('says what is deleted: %j', async (kind) => {
    const root = interruptedProject(kind);
    await command(root, ['collectstatic']);
    add(root, { 'site/a.txt': 'A', 'site/b.txt': 'B' });
    await command(root, ['collectstatic']);
    const old = [`${root}/collected/a.0cc175b9c0f1.txt`, `${root}/collected/b.92eb5ffee6ae.txt`];
    expect(old.map(existsSync)).toEqual([true, true]);
    const ended = await command(root, ['prune', '--keep=1'], 'delete b.');
    expect(ended).toEqual({
      status: null,
      signal: 'SIGINT',
      out: '',
      err: 'Interrupted. Some files are deleted, but none of a deploy that stays. Run it again to go on.\n',
    });
    expect(existsSync(old[1] as string)).toBe(true);
    expect(await command(root, ['prune', '--keep=1'])).toMatchObject({ status: 0, err: '' });
    expect(old.map(existsSync)).toEqual([false, false]);
    expect(await command(root, ['collectstatic'])).toMatchObject({ status: 0 });
  });

  it('says so where nothing is', async () => {
    const root = interruptedProject(ELSEWHERE);
    await command(root, ['collectstatic']);
    const ended = await command(root, ['prune'], 'write .staticfiles/pruning/', 'SIGTERM');
    expect(ended).toMatchObject({ signal: 'SIGTERM', err: 'Interrupted. Nothing was deleted.\n' });
  });
});
