import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { proxyTo } from '../../proxy.js';
import { SMALL, site } from './site.js';
import { fileNames, md5, sentThrough, useStores } from './stores.js';

const { swift, azurite } = useStores();

const DECODE = { br: brotliDecompressSync, gzip: gunzipSync } as const;
const SUFFIX = { br: '.br', gzip: '.gz' } as const;
const IMMUTABLE = 'public, max-age=315360000, immutable';

const COMPRESSED = { settings: { compress: true } } as const;

describe.each([swift, azurite])('compressed files on $name', (kind) => {
  it.skipIf(kind.missing)('are one object each, and are made once', async () => {
    const store = await kind.create();
    const { files, change } = site();
    const own = files(store.storage(), COMPRESSED);
    const { hashed, compressed } = await own.collect();
    expect(compressed).toMatchObject({ files: 4, made: 4 });

    const objects = await store.objects();
    const originals = new Map(hashed.map(({ name, hashedName }) => [hashedName, name]));
    for (const [hashedName, name] of originals) {
      const original = objects[hashedName];
      for (const coding of ['br', 'gzip'] as const) {
        const form = objects[hashedName + SUFFIX[coding]];
        const isText = /\.(?:css|js)$/.test(name);
        expect([name, form !== undefined]).toEqual([name, isText]);
        if (form === undefined) continue;
        expect(form).toMatchObject({ type: original?.type, cache: IMMUTABLE, encoding: coding });
        expect(DECODE[coding](form.body).equals(original?.body ?? Buffer.of())).toBe(true);
      }
      expect(original?.encoding).toBe(undefined);
      expect(Object.keys(objects)).not.toContain(`${name}.br`);
    }

    const again = await own.collect();
    expect(again).toMatchObject({ sent: { files: 0 }, compressed: { files: 4, made: 0 } });

    change({ 'js/part.js': 'export const a = 2;\n'.repeat(40) });
    expect(await own.collect()).toMatchObject({ compressed: { files: 4, made: 2 } }); // app.js names it
  });

  it.skipIf(kind.missing)('are not made again of what a killed run has sent', async () => {
    const store = await kind.create();
    const { files } = site();
    const own = files(store.storage(), COMPRESSED);
    await own.collect();
    const forms = (await fileNames(store.storage())).filter((name) => /\.(?:br|gz)$/.test(name));
    // As if it had been killed before the manifest came, and one of the files.
    await store.storage().delete('staticfiles.json');
    const [gone = ''] = forms;
    await store.storage().delete(gone);
    expect(await own.collect()).toMatchObject({ sent: { files: 1 }, compressed: { made: 1 } });
    expect(await fileNames(store.storage())).toContain(gone);
  });

  it.skipIf(kind.missing).each(['gzip', 'br'] as const)(
    'in place, by %s, decode to their originals, and are sent once',
    async (coding) => {
      const store = await kind.create();
      const { files, change } = site();
      await files(store.storage()).collect();
      const plain = await store.objects();

      const encoded = await kind.create();
      const proxy = await proxyTo(encoded.origin);
      const own = files(encoded.storage({ encoding: coding }, proxy.url), COMPRESSED);
      await own.collect();
      const objects = await encoded.objects();
      const isFile = (name: string) => !/^\.staticfiles\/|^staticfiles\.json$/.test(name);
      expect(Object.keys(objects).filter(isFile)).toEqual(Object.keys(plain).filter(isFile));
      for (const name of Object.keys(objects).filter(isFile)) {
        const object = objects[name];
        const isText = /\.(?:css|js)$/.test(name);
        expect([name, object?.encoding]).toEqual([name, isText ? coding : undefined]);
        const body = isText ? DECODE[coding](object?.body ?? Buffer.of()) : object?.body;
        expect([name, md5(body ?? '')]).toEqual([name, md5(plain[name]?.body ?? '')]);
        expect(object).toMatchObject({ type: plain[name]?.type, cache: plain[name]?.cache });
      }

      proxy.reset();
      await own.collect();
      expect(proxy.count('PUT')).toBe(0);

      change({ 'robots.txt': 'User-agent: b\n', 'js/part.js': 'export const a = 3;\n'.repeat(40) });
      const { hashed } = await own.collect();
      const nameOf = (wanted: string) =>
        hashed.find(({ name }) => name === wanted)?.hashedName ?? '';
      expect(sentThrough(proxy.requests)).toEqual(
        [
          ...['robots.txt', 'js/part.js', nameOf('robots.txt'), nameOf('js/part.js')],
          nameOf('js/app.js'),
        ].sort(),
      );
    },
  );

  it.skipIf(kind.missing)('in place are sent again where the coding changes', async () => {
    const store = await kind.create();
    const { files } = site();
    for (const encoding of [undefined, 'gzip', 'br', undefined] as const) {
      const { sent } = await files(store.storage({ encoding })).collect();
      const texts = Object.entries(await store.objects()).filter(([name]) =>
        /\.(?:css|js)$/.test(name),
      );
      expect(new Set(texts.map(([, object]) => object.encoding))).toEqual(new Set([encoding]));
      for (const [name, { body }] of texts) {
        const decoded = encoding ? DECODE[encoding](body) : body;
        const [, hash] = /\.([\da-f]{12})\./.exec(name) ?? [];
        if (hash !== undefined) expect([name, md5(decoded).slice(0, 12)]).toEqual([name, hash]);
      }
      const isFirst = sent?.files === 2 * Object.keys(SMALL).length;
      expect(isFirst ? texts.length : sent?.files).toBe(texts.length);
      expect(await files(store.storage({ encoding })).collect()).toMatchObject({
        sent: { files: 0 },
      });
    }
  });

  it.skipIf(kind.missing)('in place are not sent again after a kill', async () => {
    const store = await kind.create();
    const { files } = site();
    const own = files(store.storage({ encoding: 'gzip' }));
    await own.collect();
    await store.storage().delete('staticfiles.json');
    expect(await own.collect()).toMatchObject({ sent: { files: 0 } });
  });
});
