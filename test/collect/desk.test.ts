import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../../src/collect/desk.js';
import { add, project } from '../project.js';

const silent = () => expect.fail('It waits.');

function open(root: string, dryRun = false): Promise<Desk> {
  return openDesk(root, dryRun, silent);
}

/** The lock of a process that has ended. */
function deadLock(): string {
  const { pid } = spawnSync(process.execPath, ['--version']);
  return JSON.stringify({ token: 't', pid, host: hostname() });
}

describe('the desk of a run', () => {
  it('remembers texts from run to run', async () => {
    const root = project({});
    const first = await open(root);
    expect(first.recall('state.json')).toBeUndefined();
    first.remember('state.json', ['one', 'two', 'ü'.repeat(100_000)]);
    first.close();
    const second = await open(root);
    expect(second.recall('state.json')).toBe(`onetwo${'ü'.repeat(100_000)}`);
    second.remember('state.json', []);
    expect(second.recall('state.json')).toBe('');
    second.close();
    expect(readdirSync(join(root, '.staticfiles'))).toEqual(['state.json']);
  });

  it('is no more where nothing is to be remembered', async () => {
    const root = project({ 'x.css': '' });
    const desk = await open(root);
    mkdirSync(join(desk.scratchFolder, '1'), { recursive: true });
    desk.close();
    expect(readdirSync(root)).toEqual(['x.css']);
  });

  it('is one run’s at a time; others wait, and say for whom', async () => {
    const root = project({});
    const first = await open(root);
    const told: string[] = [];
    const second = openDesk(root, false, (message) => {
      told.push(message);
      first.close(); // and its folder goes with it
    });
    const desk = await second;
    desk.assertOwn();
    desk.close();
    expect(told).toEqual([
      `Another collectstatic is at work here (process ${process.pid} on ${hostname()}); waiting for its end. If there is none, delete ${join(root, '.staticfiles/lock')}.`,
    ]);
    expect(existsSync(join(root, '.staticfiles'))).toBe(false);
  });

  it('is only read by a dry run, which waits for nobody', async () => {
    const root = project({ '.staticfiles/state.json': 'known' });
    const busy = await open(root);
    const dry = await open(root, true);
    expect(dry.recall('state.json')).toBe('known');
    dry.remember('state.json', ['other']);
    dry.assertOwn();
    dry.close();
    busy.assertOwn();
    busy.close();
    expect(readFileSync(join(root, '.staticfiles/state.json'), 'utf8')).toBe('known');
    await open(join(root, 'not/there'), true);
    expect(existsSync(join(root, 'not'))).toBe(false);
  });

  it('needs no place for a storage that is elsewhere', async () => {
    const desk = await openDesk(undefined, false, silent);
    expect(desk.recall('state.json')).toBeUndefined();
    desk.remember('state.json', ['x']);
    desk.assertOwn();
    desk.close();
    expect(existsSync('.staticfiles')).toBe(false);
  });
});

describe('what a killed run has left', () => {
  it('goes when the next one begins: what it was writing, here and beside its place', async () => {
    const root = project({
      '.staticfiles/lock': deadLock(),
      '.staticfiles/lock-1': deadLock(),
      '.staticfiles/state.json': 'known',
      '.staticfiles/scratch-1/0/17': 'half',
      '.staticfiles/scratch-2': 'half',
      '.staticfiles/manifests/.staticfiles-partial-3': 'half',
      '.staticfiles-partial-4': 'half',
      'css/.staticfiles-partial-5': 'half',
      'css/site.css': 'whole',
    });
    (await open(root)).close();
    const left = readdirSync(root, { recursive: true, withFileTypes: true });
    expect(
      left
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['site.css', 'state.json']);
  });

  it('stays for a while where it may be in work: nobody was killed here', async () => {
    const root = project({ 'css/.staticfiles-partial-5': 'being written' });
    (await open(root)).close();
    expect(readdirSync(join(root, 'css'))).toEqual(['.staticfiles-partial-5']);
  });
});

describe('a place that cannot be', () => {
  it.each([
    ['a file is the static root', { collected: '' }],
    ['a file is in the place of the desk', { 'collected/.staticfiles': '' }],
  ])('is named: %s', async (_, files) => {
    const root = join(project(files), 'collected');
    const fault = await open(root).catch((error: Error) => error);
    expect(fault).toMatchObject({ code: 'ERR_STATICFILES_COLLECT' });
    expect(String(fault)).toContain(`Files cannot be collected into ${root}: E`);
    expect(String(fault)).not.toContain('--clear'); // which would not help
  });

  it('holds nobody up once it can', async () => {
    const root = project({ '.staticfiles/state.json/in the way': '' });
    const desk = await open(root);
    expect(() => desk.remember('state.json', ['x'])).toThrow(
      /^What is known of the files could not be kept in .*state\.json: E/,
    );
    desk.close();
    rmSync(join(root, '.staticfiles/state.json'), { recursive: true });
    add(root, { '.staticfiles/state.json': 'x' });
    const again = await open(root);
    expect(again.recall('state.json')).toBe('x');
    again.close();
    expect(readdirSync(join(root, '.staticfiles'))).toEqual(['state.json']);
  });
});
