import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { s3Storage } from '../../../adapters/s3.js';
import { memoryStorage } from '../../../src/storages/memory.js';
import { type Asked, type StandIn, standIn } from '../../adapters/s3-stand-in.js';
import { type Exchange, proxyTo } from '../../proxy.js';
import { type Site, type SiteOptions, SMALL, site } from './site.js';
import { isListing, objectOf, sentThrough, useStores } from './stores.js';

const { swift, azurite } = useStores();

/** What was asked, in order: such as `GET staticfiles.json` or `LIST .staticfiles/`. */
function asked(requests: readonly Exchange[]): string[] {
  return requests.map((request) => {
    if (!isListing(request)) return `${request.method} ${objectOf(request)}`;
    const { searchParams } = new URL(request.path, 'http://localhost');
    return `LIST ${searchParams.get('prefix') ?? ''}`.trim();
  });
}

const LOOK = ['GET staticfiles.json', 'LIST .staticfiles/', 'LIST'];
/** `collect()` reads what it has published, for whoever asks it for URLs. */
const REFRESH = ['GET staticfiles.json'];

describe.each([swift, azurite])('requests to $name', ({ missing, create }) => {
  it.skipIf(missing)('are a few looks, and one for each object that is missing', async () => {
    const store = await create();
    const proxy = await proxyTo(store.origin);
    const { change, files } = site();
    const own = files(store.storage({}, proxy.url));

    await own.collect();
    expect(proxy.count('HEAD')).toBe(0);
    expect(sentThrough(proxy.requests).length).toBe(2 * Object.keys(SMALL).length);

    proxy.reset();
    await own.collect();
    expect(asked(proxy.requests)).toEqual([...LOOK, ...REFRESH]);

    proxy.reset();
    change({ 'robots.txt': 'User-agent: a\n' });
    const { hashed } = await own.collect();
    const name = hashed.find((one) => one.name === 'robots.txt')?.hashedName;
    const wanted = [...LOOK, 'PUT .staticfiles/manifests/', `PUT ${name}`, 'PUT robots.txt'];
    const found = asked(proxy.requests).map((one) => one.replace(/(manifests\/).*/, '$1'));
    expect(found.slice(0, 6)).toEqual(wanted);
    expect(found.at(6)).toBe('PUT staticfiles.json');
    expect(new Set(found.slice(6))).toEqual(
      new Set(['PUT staticfiles.json', 'GET staticfiles.json']), // Swift's takes some more
    );
  });

  it.skipIf(missing)('are no more beside a project with another manifest', async () => {
    const store = await create();
    await site({ 'theirs.txt': '1' })
      .files(store.storage(), { hashed: { manifestName: 'theirs.json' } })
      .collect();
    const own = site();
    await own.files(store.storage()).collect();
    const proxy = await proxyTo(store.origin);
    await own.files(store.storage({}, proxy.url)).collect();
    expect(asked(proxy.requests)).toEqual(LOOK);
  });

  it.skipIf(missing)('are as many at once as `concurrency` says', async () => {
    const store = await create();
    const proxy = await proxyTo(store.origin);
    const most = 7;
    const sources = Object.fromEntries(
      Array.from({ length: 4 * most }, (_, index) => [`${index}.txt`, `${index}`]),
    );
    let highest = 0;
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    proxy.before = async ({ method, path }) => {
      if (method !== 'PUT' || path.includes('.staticfiles/')) return;
      const inFlight = proxy.requests.filter((one) => one.method === 'PUT' && !one.status).length;
      highest = Math.max(highest, inFlight);
      // Held back until so many have come, and for those that should not come.
      if (inFlight === most) await pause(200).then(open);
      await gate;
      return undefined;
    };
    await site(sources)
      .files(store.storage({ concurrency: most }, proxy.url))
      .collect();
    expect(highest).toBe(most);
  });
});

/** Real stores take minutes to be filled with so many; the requests are the same. */
describe('requests for 10,000 files', () => {
  const FILES = 10_000;
  const PAGE = 1000; // S3's
  const MOST = 12;

  async function full(options: SiteOptions): Promise<{ own: Site; store: StandIn }> {
    const own = site(
      Object.fromEntries(
        Array.from({ length: FILES }, (_, index) => [`${index % 50}/${index}.txt`, `${index}`]),
      ),
    );
    const memory = memoryStorage();
    await own.files(memory, options).collect();
    const store = await standIn({ pageSize: PAGE });
    for await (const name of memory.list()) {
      const body = Buffer.from((await memory.read(name)) ?? []);
      const tag = `"${createHash('md5').update(body).digest('hex')}"`;
      store.files.set(name, { body, tag, headers: {} });
    }
    return { own, store };
  }

  const methods = (all: readonly Asked[]) => new Set(all.map(({ method }) => method));

  it.each<[string, SiteOptions, number]>([
    ['plain and hashed', {}, 2 * FILES],
    ['hashed', { hashed: { keepOriginals: false } }, FILES],
  ])(
    'under %s names are at most 12, and only what changed is sent',
    async (_, options, objects) => {
      const { own, store } = await full(options);
      expect(store.files.size).toBeGreaterThanOrEqual(objects);
      const files = own.files(s3Storage(store.options), options);
      await files.collect();
      expect(store.asked.length).toBeLessThanOrEqual(MOST);
      expect(methods(store.asked)).toEqual(new Set(['GET']));

      store.asked.length = 0;
      own.change({ '7/7.txt': 'seven' });
      const { sent } = await files.collect();
      expect(sent?.files).toBe(objects / FILES);
      const puts = store.asked.filter(({ method }) => method === 'PUT').map(({ key }) => key);
      expect(puts.length).toBe(objects / FILES + 2); // the manifest, and its copy in the archive
      expect(store.asked.length - puts.length).toBeLessThanOrEqual(MOST);
      expect(methods(store.asked)).toEqual(new Set(['GET', 'PUT']));
    },
  );
});
