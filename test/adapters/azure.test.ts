import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type AzureStorage, azureStorage } from '../../adapters/azure.js';
import { NameError, SetupError } from '../../src/errors.js';
import { createStaticFiles } from '../../src/static-files.js';
import { storageContract } from '../contracts/storage.js';
import { serve } from '../listen.js';
import { add, project } from '../project.js';
import { bytes, text, useAzurite } from './azure-store.js';

const store = useAzurite();
const { storage } = store;

const TRAITS = {
  recordsTimes: false,
  checksMd5: true,
  hasEntries: true,
  hasVersions: true,
  writeIf: 'works',
} as const;
storageContract('azureStorage', () => storage(), TRAITS);
storageContract('azureStorage with a prefix', () => storage({ prefix: 'a/prefix %41' }), TRAITS);

const account = { accountName: 'example', accountKey: 'a2V5', container: 'static' };

/** As it comes, without decoding. */
async function fetchRaw(url: string): Promise<{ answer: IncomingMessage; body: Buffer }> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, resolve).on('error', reject);
  });
  return { answer, body: await buffer(answer) };
}

describe("azureStorage's URLs", () => {
  const files = (storage: ReturnType<typeof azureStorage>, settings = {}) =>
    createStaticFiles({ storage, debug: false, ...settings });

  test('begin with publicUrl, else with the staticUrl that was set, else with the address', () => {
    const own = azureStorage({ ...account, prefix: 'a b/c' });
    const address = 'https://example.blob.core.windows.net/static/a%20b/c/';
    expect(own.url('d.css')).toBe(`${address}d.css`);
    expect(own.location).toBe(address);
    expect(files(own).staticUrl('d.css')).toBe(`${address}d.css`);
    expect(files(own, { staticUrl: '/s/' }).staticUrl('d.css')).toBe('/s/d.css');
    const cdn = azureStorage({
      ...account,
      prefix: 'a b',
      publicUrl: 'https://cdn.example.com/ü/',
    });
    expect(cdn.url('d.css')).toBe('https://cdn.example.com/%C3%BC/d.css');
    expect(files(cdn, { staticUrl: '/s/' }).staticUrl('d.css')).toBe(cdn.url('d.css'));
  });

  test('lead to the files', async () => {
    const there = await storage({
      container: await store.azurite.container({ public: true }),
      prefix: 'the prefix',
    });
    const names = ['a.css', 'ü b+c/100%.css', "it's?#&=.css", '%2e%2e%2fa.css', '日本/😀.png'];
    for (const name of names) {
      await there.write(name, bytes(name));
      expect(String((await fetchRaw(there.url(name))).body)).toBe(name);
    }
  });

  test('are never signed', async () => {
    const { url } = store.azurite;
    const signed = azureStorage({ url: `${url}?sv=1&sig=secret`, container: 'static' });
    expect(signed.url('a.css')).toBe(`${url}/static/a.css`);
  });
});

describe("azureStorage's header fields", () => {
  test('are what files are answered with', async () => {
    const there = await storage({ container: await store.azurite.container({ public: true }) });
    const body = gzipSync('body {}');
    const headers = {
      'cache-control': 'public, max-age=315360000, immutable',
      'Content-Encoding': 'gzip',
      'Content-Language': 'de',
      'Content-Disposition': 'inline',
      'X-Other': 'is not kept',
    };
    await there.write('a.css', body, { headers });
    const { answer, body: received } = await fetchRaw(there.url('a.css'));
    expect(answer.headers).toMatchObject({
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=315360000, immutable',
      'content-encoding': 'gzip',
      'content-language': 'de',
      'content-disposition': 'inline',
      'content-length': String(body.length),
    });
    expect(answer.headers).not.toHaveProperty('x-other');
    // The bytes as they were written, not what they mean.
    expect(received).toEqual(body);
    expect(await there.read('a.css')).toEqual(body);
    expect([...(there.keptHeaders ?? [])]).toContain('content-encoding');
  });

  test('are of every file, or of each by its name, over those of collecting', async () => {
    const container = await store.azurite.container({ public: true });
    const all = await storage({ container, headers: { 'CACHE-CONTROL': 'no-cache' } });
    const each = await storage({
      container,
      headers: (name) => (name === 'b/b.txt' ? { 'Content-Type': 'text/x-b' } : undefined),
    });
    const given = { headers: { 'Cache-Control': 'private', 'content-type': 'text/x-a' } };
    await all.write('a.txt', bytes('a'), given);
    await each.writeIf?.('/b/./b.txt', bytes('b'), undefined, given);
    await each.write('c.txt', bytes('c'));
    const fields = async (name: string) => {
      const { headers } = (await fetchRaw(all.url(name))).answer;
      return [headers['cache-control'], headers['content-type']];
    };
    expect(await fields('a.txt')).toEqual(['no-cache', 'text/x-a']);
    expect(await fields('b/b.txt')).toEqual(['private', 'text/x-b']);
    expect(await fields('c.txt')).toEqual([undefined, 'text/plain; charset=utf-8']);
  });

  test('are those of the source, and none but its own of what collecting keeps for itself', async () => {
    const container = await store.azurite.container({ public: true });
    const asked: string[] = [];
    const there = await storage({
      container,
      headers: (name) => {
        asked.push(name);
        return { 'Cache-Control': 'max-age=7', 'Content-Encoding': 'deflate' };
      },
    });
    const form = {
      source: 'b.svg',
      headers: { 'Content-Type': 'image/x', 'Content-Encoding': 'br' },
    };
    await there.write('b.0123.svg.br', bytes('b'), form);
    const own = { final: true, headers: { 'cache-control': 'no-cache' } };
    await there.writeIf?.('staticfiles.json', bytes('{}'), undefined, own);
    await there.write('.staticfiles/mark.json', bytes('{}'));
    const fields = async (name: string) => {
      const { headers } = (await fetchRaw(there.url(name))).answer;
      return [headers['cache-control'], headers['content-type'], headers['content-encoding']];
    };
    expect(await fields('b.0123.svg.br')).toEqual(['max-age=7', 'image/x', 'br']);
    const type = 'application/json; charset=utf-8';
    expect(await fields('staticfiles.json')).toEqual(['no-cache', type, undefined]);
    expect(await fields('.staticfiles/mark.json')).toEqual([undefined, type, undefined]);
    expect(asked).toContain('b.svg');
    expect(asked).not.toContain('b.0123.svg.br');
  });

  test('that Azure does not keep are refused where they were asked for by name', async () => {
    const each = await storage({ headers: () => ({ 'X-Frame-Options': 'DENY' }) });
    await expect(each.write('a.css', bytes('a'))).rejects.toThrow(
      "azureStorage()'s headers: Azure keeps no X-Frame-Options with a file, but cache-control, content-type, content-encoding, content-language, content-disposition. Let the CDN in front of it add other fields.",
    );
    expect(await each.exists('a.css')).toBe(false);
  });

  test('go with an access tier', async () => {
    const there = await storage({ accessTier: 'Cool' });
    await there.write('a.css', bytes('a'));
    const blob = store.client(there).getBlobClient('a.css');
    expect((await blob.getProperties()).accessTier).toBe('Cool');
  });
});

describe("azureStorage's listings", () => {
  test('tell names, sizes, times and MD5s', async () => {
    const there = await storage({ prefix: 'p' });
    await there.write('css/ü.css', bytes('body {}'));
    await there.write('css.txt', bytes('x'));
    await there.write('js/a.js', bytes('a()'));
    const found = [];
    for await (const file of there.entries?.('css/') ?? []) found.push(file);
    expect(found).toEqual([
      {
        name: 'css/ü.css',
        size: 7,
        mtimeMs: (await there.stat('css/ü.css'))?.mtimeMs,
        md5: 'fcdce6b6d6e2175f6406869882f6f1ce',
      },
    ]);
  });

  test('come in pages', async () => {
    const container = await store.azurite.container({ public: true });
    const all = await storage({ container });
    for (let number = 0; number < 5; number++) await all.write(`${number}.css`, bytes('a'));
    // A store may answer fewer than it was asked for; the emulator does not by itself.
    let pages = 0;
    const few = await serve(async (request, response) => {
      const url = new URL(request.url ?? '', store.azurite.url);
      expect(url.searchParams.get('maxresults')).toBe('5000');
      url.searchParams.set('maxresults', '2');
      pages++;
      const answer = await fetch(url, { headers: { 'x-ms-version': '2024-11-04' } });
      const body = await answer.text();
      response.writeHead(answer.status, { 'Content-Type': 'application/xml' }).end(body);
    });
    const names = [];
    const there = azureStorage({
      container,
      url: `${few}/${store.azurite.accountName}`,
      credential: await store.signature(all, 'rl'), // which, unlike a key, signs no query
    });
    for await (const name of there.list()) names.push(name);
    expect(names).toEqual(['0.css', '1.css', '2.css', '3.css', '4.css']);
    expect(pages).toBe(3);
  });

  test("leave out what is none of its files: other programs' names, and Data Lake's folders", async () => {
    const there = await storage({ prefix: 'p' });
    const client = store.client(there);
    for (const name of ['p/a//b', 'p/c/', 'p', 'q/d']) {
      await client.getBlockBlobClient(name).upload('x', 1);
    }
    const folder = client.getBlockBlobClient('p/folder');
    await folder.upload('', 0, { metadata: { hdi_isfolder: 'true' } });
    await there.write('folder/a.css', bytes('a'));
    expect(await namesOf(there)).toEqual(['folder/a.css']);
    expect(await there.exists('folder')).toBe(false);
    expect(await there.read('folder')).toBeUndefined();
  });
});

async function namesOf(storage: AzureStorage): Promise<string[]> {
  const names: string[] = [];
  for await (const name of storage.list()) names.push(name);
  return names;
}

describe("azureStorage's names", () => {
  test('are safe', async () => {
    const there = await storage({ prefix: 'p' });
    await there.write('/a/./b\\c.css', bytes('c'));
    expect(await namesOf(there)).toEqual(['a/b/c.css']);
    await expect(there.write('../a.css', bytes('a'))).rejects.toThrow(NameError);
    await expect(there.read('a/../../a.css')).rejects.toThrow(NameError);
  });

  test('have 1,024 characters at most, with the prefix', async () => {
    const there = await storage({ prefix: 'p' });
    const name = `${'n'.repeat(1018)}.css`;
    await there.write(name, bytes('a'));
    expect(await text(there.read(name))).toBe('a');
    const longer = `n${name}`;
    expect(await there.read(longer)).toBeUndefined();
    expect(await there.readVersion?.(longer)).toBeUndefined();
    expect(await there.stat(longer)).toBeUndefined();
    await there.delete(longer);
    const message = /has more than the 1024 characters that Azure takes, those of the prefix 'p\/'/;
    await expect(there.write(longer, bytes('a'))).rejects.toThrow(message);
    await expect(there.writeFile?.(longer, 'gone')).rejects.toThrow(message);
    expect(await namesOf(there)).toEqual([name]);
  });

  test('of folders are those of no files', async () => {
    const there = await storage();
    for (const name of ['', 'folder/']) {
      expect(await there.read(name)).toBeUndefined();
      await expect(there.write(name, bytes('a'))).rejects.toThrow('is that of a folder');
    }
  });
});

describe("azureStorage's signed URLs", () => {
  test('show a private file to everybody', async () => {
    const there = await storage({ prefix: 'p' });
    await there.write('ü b.css', bytes('private'));
    expect((await fetch(there.url('ü b.css'))).status).not.toBe(200);
    const url = await there.signedUrl('ü b.css', { expiresIn: 60 });
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([200, 'private']);
    expect(
      Math.abs(Date.parse(new URL(url).searchParams.get('se') ?? '') - Date.now()),
    ).toBeLessThan(120_000);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
  });

  test('need the key of the account, and a time', async () => {
    const keyless = azureStorage({ url: store.azurite.url, container: 'static' });
    await expect(keyless.signedUrl('a.css', { expiresIn: 60 })).rejects.toThrow(
      new SetupError(
        'signedUrl() needs the key of the storage account: give azureStorage() an accountKey, or a connectionString with one.',
      ),
    );
    await expect(azureStorage(account).signedUrl('a.css', { expiresIn: 0 })).rejects.toThrow(
      new SetupError("signedUrl()'s expiresIn must be a number of seconds, not 0."),
    );
  });
});

test('a missing SDK is missed by the first call that needs it, and not before', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const folder = project({});
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  cpSync(join(root, 'dist'), join(folder, 'node_modules/staticfiles/dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'node_modules/staticfiles/package.json'));
  const program = `
    import { azureStorage } from 'staticfiles/azure';
    const storage = azureStorage(${JSON.stringify(account)});
    console.log(storage.url('a.css'));
    await storage.read('a.css').catch(({ code, message }) => console.log(code, message));`;
  add(folder, { 'program.mjs': program });
  const printed = execFileSync(process.execPath, ['program.mjs'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(printed.trim().split('\n')).toEqual([
    'https://example.blob.core.windows.net/static/a.css',
    'ERR_STATICFILES_PEER azureStorage() needs @azure/storage-blob. Install it: npm install @azure/storage-blob',
  ]);
});
