import { describe, expect, it } from 'vitest';
import type { CollectReport } from '../../../src/collect/run.js';
import { proxyTo } from '../../proxy.js';
import { type SiteOptions, site } from './site.js';
import { type Store, useStores } from './stores.js';

const { swift, azurite } = useStores();

/** A plain name that stores take; with its hash, they do not. */
const LONG = `${`${'a'.repeat(200)}/`.repeat(5)}${'b'.repeat(14)}.txt`;
const KINDS: SiteOptions[] = [{}, { isPlain: true }];

async function namesIn(store: Store): Promise<string[]> {
  return Object.keys(await store.objects()).sort();
}

describe.each([swift, azurite])('names that are too long for $name', (kind) => {
  it.skipIf(kind.missing).each(KINDS)(
    'are refused before anything is sent: %j',
    async (options) => {
      const store = await kind.create();
      const own = site();
      await own.files(store.storage(), options).collect();
      const before = await namesIn(store);
      own.change({ [options.isPlain ? `a${LONG}aaaaa` : LONG]: 'x', 'robots.txt': 'changed' });
      const proxy = await proxyTo(store.origin);
      const [dry, real] = [
        await own.call(
          store.storage({}, proxy.url),
          ['collectstatic', '--dry-run', '-v0'],
          options,
        ),
        await own.call(store.storage({}, proxy.url), ['collectstatic'], options),
      ];
      expect(real.err).toMatch(/^Error: The name "\S+" (makes a key|has more than).*1024.*\.\n$/);
      expect(dry).toMatchObject({ status: 1, out: '', err: real.err });
      expect(real.status).toBe(1);
      expect(proxy.requests.filter(({ method }) => method === 'PUT')).toEqual([]);
      expect(await namesIn(store)).toEqual(before);
    },
  );

  it.skipIf(kind.missing)('are told by the storage, which takes others', async () => {
    const storage = (await kind.create()).storage({ prefix: 'a/folder' });
    for (const name of ['a.css', 'ü/⊗.txt', 'a'.repeat(1015)]) await storage.checkName?.(name);
    for (const name of ['a'.repeat(1016), 'folder/']) {
      const said = await storage.checkName?.(name).catch(String);
      expect(said).toMatch(/^NameError: /);
      expect(said).toBe(await storage.write(name, Buffer.of(1)).catch(String));
    }
  });
});

describe.each([swift, azurite])('a dry run on $name', (kind) => {
  it.skipIf(kind.missing).each(KINDS)(
    'names what would be sent and deleted: %j',
    async (options) => {
      const store = await kind.create();
      const own = site();
      const old = { ...options, settings: { compress: true } };
      await own.files(store.storage(), old).collect();
      await store.storage().write('stray.txt', Buffer.from('x'));
      own.change({ 'css/base.css': '', 'robots.txt': 'changed' });
      const report = async (...args: string[]): Promise<CollectReport> => {
        const call = ['collectstatic', '--clear', '--json', ...args];
        const { out } = await own.call(store.storage(), call, old);
        return JSON.parse(out);
      };
      const before = await namesIn(store);
      const dry = await report('--dry-run');
      expect(await namesIn(store)).toEqual(before);
      const real = await report();
      expect(real.sent?.names).toContain('robots.txt');
      expect(dry.sent?.names).toEqual(expect.arrayContaining([...(real.sent?.names ?? [])]));
      expect(real.sent?.names.length).toBe(real.sent?.files);
      expect(real.deleted).toContain('stray.txt');
      const isForm = (name: string) => /^css\/base\.css\.(?:br|gz)$/.test(name);
      expect(real.deleted.filter(isForm).length).toBe(options.isPlain ? 2 : 0);
      const kept = (names: readonly string[]) =>
        names.filter((name) => !/^\.staticfiles/.test(name));
      expect(kept(dry.deleted).sort()).toEqual(kept(real.deleted).sort());
      const now = await namesIn(store);
      expect(before.filter((name) => !now.includes(name)).sort()).toEqual([...real.deleted].sort());
    },
  );
});
