import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { proxyTo } from '../../proxy.js';
import { SMALL, type Sources, site } from './site.js';
import { lacking, objectOf, sentThrough, useStores } from './stores.js';

const { swift, azurite } = useStores();

/** A release that has a word to say in each of its files, and so changes each name. */
const release = (word: string): Sources =>
  Object.fromEntries(
    Object.entries(SMALL).map(([name, content]) => [
      name,
      name.endsWith('.png') ? Buffer.from(word) : `/* ${word} */ ${content}`,
    ]),
  );

/** A folder for temporary files of a process. */
function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'staticfiles-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What every name of the first release holds, as long as its manifest is the published one. */
const hashedOf = (objects: object, names: readonly string[]) =>
  Object.entries(objects).filter(([name]) => names.includes(name));

describe.each([swift, azurite])('a deploy to $name that is killed', (kind) => {
  it.skipIf(kind.missing).each([1, 4, 9])(
    'after %i files leaves what is published; the next run sends the rest',
    async (count) => {
      const store = await kind.create();
      const own = site(release('one'));
      const settings = { compress: true };
      const { hashed } = await own.files(store.storage(), { settings }).collect();
      const names = [...hashed.map(({ hashedName }) => hashedName), 'staticfiles.json'];
      const before = hashedOf(await store.objects(), names);
      expect(before.length).toBe(names.length);

      own.change(release('two'));
      const proxy = await proxyTo(store.origin);
      let sent = 0;
      let kill = () => {};
      proxy.before = async (request) => {
        const isFile =
          request.method === 'PUT' && !/^\.staticfiles\/|^staticfiles/.test(objectOf(request));
        if (!isFile || sent++ < count) return undefined;
        kill();
        return 'hang';
      };
      const run = own.start(store.source({ concurrency: 1 }, proxy.url), [], { settings });
      kill = run.kill;
      expect(await run.ended).toMatchObject({ status: null });
      const arrived = sentThrough(proxy.requests.filter(({ fault }) => fault === undefined));
      expect(arrived.length).toBe(count);
      expect(hashedOf(await store.objects(), names)).toEqual(before);

      proxy.before = undefined;
      proxy.reset();
      const report = await own.files(store.storage({}, proxy.url), { settings }).collect();
      const rest = sentThrough(proxy.requests);
      expect(rest.filter((name) => arrived.includes(name))).toEqual([]);
      expect(rest.length).toBe(report.sent?.files);
      const total = 2 * hashed.length + 2 * 4; // plain, hashed, and two forms of each text
      expect(arrived.length + rest.length).toBe(total);
      expect(await lacking(store.storage())).toEqual([]);
      const { 'robots.txt': robots } = await store.objects();
      expect(robots?.body.toString()).toMatch(/^\/\* two/);
    },
  );
});

describe('the folder for temporary files', () => {
  const settings = { compress: true };

  it('is empty after a deploy, and after one that failed', async () => {
    const store = await azurite.create();
    const own = site();
    const env = { TMPDIR: temporary() };
    const proxy = await proxyTo(store.origin);
    const source = store.source({}, proxy.url);
    proxy.before = async (request) =>
      request.method === 'PUT' && objectOf(request).endsWith('.png') ? { status: 403 } : undefined;
    expect(await own.start(source, [], { settings, env }).ended).toMatchObject({ status: 1 });
    expect(readdirSync(env.TMPDIR)).toEqual([]);
    proxy.before = undefined;
    expect(await own.start(source, [], { settings, env }).ended).toMatchObject({ status: 0 });
    expect(readdirSync(env.TMPDIR)).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('is empty after %s', async (signal) => {
    const store = await azurite.create();
    const own = site();
    const env = { TMPDIR: temporary() };
    const proxy = await proxyTo(store.origin);
    let reached = () => {};
    const isSending = new Promise<void>((resolve) => {
      reached = resolve;
    });
    proxy.before = async ({ method }) => {
      if (method !== 'PUT') return undefined;
      reached();
      return 'hang';
    };
    const run = own.start(store.source({}, proxy.url), [], { settings, env });
    await isSending;
    expect(readdirSync(env.TMPDIR).length).toBe(1);
    process.kill(run.pid, signal);
    const { status, err } = await run.ended;
    expect({ status, err }).toEqual({
      status: null,
      err: expect.stringMatching(/^Interrupted before the manifest was replaced: [^\n]*\n$/),
    });
    expect(readdirSync(env.TMPDIR)).toEqual([]);
  });
});
