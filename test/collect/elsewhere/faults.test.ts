import { describe, expect, it } from 'vitest';
import { type Exchange, type Fault, type Faults, proxyTo } from '../../proxy.js';
import { SMALL, type Sources, site } from './site.js';
import { lacking, objectOf, useStores } from './stores.js';

const { swift, azurite } = useStores();

const KINDS = ['503', 'reset-before', 'reset-after', 'delay', 'truncate'] as const;
const RATE = 0.1;

/** So many requests that some meet a fault. */
const SOURCES: Sources = {
  ...SMALL,
  ...Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`img/${at}.gif`, `GIF${at}`])),
  'film.mp4': Buffer.alloc(200_000, 'film'), // in parts on Azurite, for which such are large enough
};

const OPTIONS = { settings: { compress: true } };

describe.each([swift, azurite])('collecting into $name, where a tenth goes wrong by', (kind) => {
  /** What a deploy, a second one of fewer files, and pruning leave. */
  async function deployTwice(faults: Faults | undefined) {
    const store = await kind.create();
    const proxy = await proxyTo(store.origin, { faults, delayMs: 50 });
    const own = site(SOURCES);
    const storage = store.storage({ partSize: 65_536 * (kind === swift ? 160 : 1) }, proxy.url);
    await own.files(storage, OPTIONS).collect();
    own.change({ 'css/base.css': 'p { color: blue }\n'.repeat(30), 'robots.txt': 'else\n' });
    own.remove('js/part.js');
    const { status, err } = await own.call(storage, ['collectstatic'], OPTIONS);
    await own.files(storage, OPTIONS).prune({ keep: 1 });
    const objects = Object.entries(await store.objects()).filter(
      ([name]) => !name.startsWith('.staticfiles/'), // whose names tell times
    );
    return { status, err: err.replace(/s3:\/\/[^/]+/, ''), objects, proxy };
  }

  let quiet: ReturnType<typeof deployTwice> | undefined;

  it.skipIf(kind.missing).each<Fault>(KINDS)('%s: the same is there in the end', async (fault) => {
    quiet ??= deployTwice(undefined);
    const { objects, err } = await quiet;
    expect(objects.length).toBeGreaterThan(40);
    const faulty = await deployTwice({ rate: RATE, seed: 7, kinds: [fault] });
    expect(faulty.proxy.requests.filter((one) => one.fault === fault).length).toBeGreaterThan(4);
    expect({ status: faulty.status, err: faulty.err }).toEqual({ status: 0, err });
    expect(faulty.objects).toEqual(objects);
  });
});

describe.each([swift, azurite])('publishing on $name', (kind) => {
  it.skipIf(kind.missing)('succeeds where no answer to it ever comes', async () => {
    const store = await kind.create();
    const proxy = await proxyTo(store.origin);
    const own = site();
    const isPublishing = (request: Exchange) =>
      objectOf(request) === 'staticfiles.json' && request.method === 'PUT';
    for (const word of ['first', 'second']) {
      own.change({ 'robots.txt': word });
      proxy.before = async (request) => {
        if (!isPublishing(request)) return undefined;
        const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
        // Swift answers that it knows no conditions, and is asked again.
        return (match ?? noneMatch) && !kind.isConditional ? undefined : 'reset-after';
      };
      proxy.reset();
      const { status } = await own.call(store.storage({}, proxy.url), ['collectstatic']);
      expect(status).toBe(0);
      expect(proxy.requests.filter(isPublishing).length).toBeGreaterThan(2);
      expect(await lacking(store.storage())).toEqual([]);
      expect(await own.files(store.storage()).collect()).toMatchObject({ sent: { files: 0 } });
    }
  });

  it.skipIf(kind.missing)('fails where no answer comes, and it is not there', async () => {
    const store = await kind.create();
    const proxy = await proxyTo(store.origin);
    proxy.before = async (request) =>
      objectOf(request) === 'staticfiles.json' && request.method === 'PUT'
        ? 'reset-before'
        : undefined;
    const { status, err } = await site().call(store.storage({}, proxy.url), ['collectstatic']);
    expect({ status, err }).toEqual({
      status: 1,
      err: expect.stringMatching(/^Error: Could not write \S*staticfiles\.json/),
    });
  });

  it.skipIf(kind.missing).each<Fault>(['reset-after', 'truncate', '503'])(
    'succeeds where the answer to it is lost by %s',
    async (fault) => {
      const store = await kind.create();
      const proxy = await proxyTo(store.origin);
      const own = site();
      const files = own.files(store.storage({}, proxy.url));
      for (const word of ['first', 'second']) {
        own.change({ 'robots.txt': word });
        let isLost = false;
        proxy.before = async (request) => {
          const isManifest = objectOf(request) === 'staticfiles.json' && request.method === 'PUT';
          if (!isManifest || isLost) return undefined;
          // Swift is asked a second time, for it does not know conditions.
          if (request.headers['if-match'] ?? request.headers['if-none-match']) {
            if (!kind.isConditional) return undefined;
          }
          isLost = true;
          return fault;
        };
        await files.collect();
        expect(isLost).toBe(true);
        expect(await lacking(store.storage())).toEqual([]);
        expect(await files.collect()).toMatchObject({ sent: { files: 0 } });
      }
    },
  );
});
