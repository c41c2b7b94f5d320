import { describe, expect, test } from 'vitest';
import { type AzureStorage, azureStorage } from '../../adapters/azure.js';
import { StorageError } from '../../src/errors.js';
import { serve } from '../listen.js';
import { AT_ONCE, bytes, text, useAzurite } from './azure-store.js';

const store = useAzurite();
const clientOptions = AT_ONCE;
const KEY = Buffer.from('another key').toString('base64');

/** What is said of each call of a storage, where something is wrong with all of them. */
async function saidOfAll(storage: AzureStorage): Promise<string[]> {
  const calls: Record<string, () => Promise<unknown>> = {
    [`read 'a.css' of ${storage.location}`]: () => storage.read('a.css'),
    [`look up 'a.css' of ${storage.location}`]: () => storage.exists('a.css'),
    [`write 'a.css' to ${storage.location}`]: () => storage.write('a.css', bytes('a')),
    [`delete 'a.css' of ${storage.location}`]: () => storage.delete('a.css'),
    [`list ${storage.location}`]: () => storage.list()[Symbol.asyncIterator]().next(),
  };
  const said = new Set<string>();
  for (const [doing, call] of Object.entries(calls)) {
    const error = await call().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!(error instanceof StorageError)) throw new Error(`${doing}: ${error}`);
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.message.startsWith(`Could not ${doing}`), error.message).toBe(true);
    said.add(
      error.message
        .slice(`Could not ${doing}`.length)
        .replace(/^ \(\d+ times\)/, '')
        .slice(2),
    );
  }
  return [...said];
}

describe('what is said of a fault in Azure:', () => {
  test('the container is not there', async () => {
    const storage = await store.storage({ container: 'not-there' });
    const { host } = new URL(storage.location);
    expect(await saidOfAll(storage)).toEqual([
      `there is no container 'not-there' at ${host}. Create it (az storage container create --name not-there), or correct the option 'container'.`,
    ]);
    expect(storage.location).toBe(`${store.azurite.url}/not-there/`);
    await expect(storage.read('a.css')).rejects.toMatchObject({ isPassing: false });
  });

  test('the key is wrong', async () => {
    const { accountName, url } = store.azurite;
    const own = { connectionString: undefined, accountName, accountKey: KEY, url };
    const said = await saidOfAll(await store.storage(own));
    const { host } = new URL(url);
    expect(said).toEqual([
      `the accountKey is not that of the account at ${host}. Copy one under 'Access keys' in the portal.`,
      // The emulator's code is another than Azure's, and HEAD has no words.
      "the store answers 403 AuthorizationFailure. The accountKey is another account's, or the account's network rules do not let this machine in. See 'Access keys' and 'Networking' in the portal.",
    ]);
  });

  test('the clock is off, which has the code of a wrong key', async () => {
    for (const [minutes, way] of [
      [-20, 'ahead of'],
      [90, 'behind'],
    ] as const) {
      const { proxy, storage } = await store.behindProxy();
      proxy.before = () => ({
        status: 403,
        headers: {
          Date: new Date(Date.now() + minutes * 60_000).toUTCString(),
          'x-ms-error-code': 'AuthenticationFailed',
          'Content-Type': 'application/xml',
        },
        body: '<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request.</Message></Error>',
      });
      expect(await saidOfAll(storage)).toEqual([
        `this machine's clock is ${Math.abs(minutes)} minutes ${way} the store's, which refuses that. Set it (NTP).`,
      ]);
    }
  });

  test('a signature allows reading only', async () => {
    const own = await store.storage();
    await own.write('a.css', bytes('a'));
    const credential = await store.signature(own, 'r');
    const storage = await store.storage({
      connectionString: undefined,
      url: store.azurite.url,
      credential,
      container: store.client(own).containerName,
    });
    expect(await text(storage.read('a.css'))).toBe('a');
    expect(await storage.read('gone.css')).toBeUndefined();
    const why =
      "the store answers 403 AuthorizationPermissionMismatch. The shared access signature has the permissions 'r'; collecting needs 'rwdl', reading 'rl' (sp=…), for blobs and the container (sr=c).";
    await expect(storage.write('b.css', bytes('b'))).rejects.toThrow(why);
    await expect(storage.writeIf?.('b.css', bytes('b'), undefined)).rejects.toThrow(why);
    await expect(storage.delete('a.css')).rejects.toThrow(why);
    await expect(storage.list()[Symbol.asyncIterator]().next()).rejects.toThrow(why);
    expect(await own.exists('b.css')).toBe(false);
  });

  test('a signature has expired, or is none of the account', async () => {
    const own = await store.storage();
    const container = store.client(own).containerName;
    const url = store.azurite.url;
    const signed = (credential: string) =>
      azureStorage({ container, url, credential, clientOptions });
    const old = await store.signature(own, 'rwdl', -3600);
    const end = new URLSearchParams(old).get('se');
    for (const said of await saidOfAll(signed(old)))
      expect(said).toContain(`It expired at ${end}.`);
    const valid = await store.signature(own, 'rwdl');
    const broken = valid.replace(/sig=[^&]*/, 'sig=c2VjcmV0');
    const said = await saidOfAll(signed(broken));
    expect(said[0]).toBe(
      'the shared access signature is not valid, or not any more. Make a new one.',
    );
    expect(JSON.stringify(said)).not.toContain('c2VjcmV0');
  });

  test('nothing proves who asks', async () => {
    const container = await store.azurite.container();
    const said = await saidOfAll(
      azureStorage({ container, url: store.azurite.url, clientOptions }),
    );
    for (const one of said) expect(one).toMatch(/no credential was given/i);
  });

  test('a credential gives no token', async () => {
    const container = await store.azurite.container();
    const { url } = store.azurite;
    // Not sent without TLS, as here.
    const getToken = async () => ({ token: 'secret', expiresOnTimestamp: Date.now() + 60_000 });
    const open = azureStorage({ container, url, credential: { getToken }, clientOptions });
    await expect(open.read('a.css')).rejects.toThrow(/not permitted for non-TLS/);
    const failing = async () => {
      throw new Error('EnvironmentCredential is unavailable.');
    };
    const none = azureStorage({
      container,
      url: 'https://127.0.0.1:1',
      credential: { getToken: failing },
      clientOptions,
    });
    await expect(none.read('a.css')).rejects.toThrow(
      "Could not read 'a.css' of https://127.0.0.1:1/c-",
    );
    await expect(none.read('a.css')).rejects.toThrow('EnvironmentCredential is unavailable.');
  });

  test('the account has no host', async () => {
    const storage = azureStorage({
      container: 'static',
      accountName: 'example',
      accountKey: KEY,
      url: 'https://example.blob.invalid',
      clientOptions,
    });
    for (const said of await saidOfAll(storage)) {
      expect(said).toBe(
        "there is no host 'example.blob.invalid'. Is the account's name right, and does this machine resolve names?",
      );
    }
  });

  test('the store is away', async () => {
    const { proxy, storage } = await store.behindProxy();
    await proxy.away();
    const { host } = new URL(proxy.url);
    expect(await saidOfAll(storage)).toEqual([
      `${host} cannot be reached: connect ECONNREFUSED ${host}. Check the network, and that the address is right.`,
    ]);
    await proxy.back();
    expect(await storage.exists('a.css')).toBe(false);
  });

  test('who answers is no store', async () => {
    const url = await serve((_, response) => response.writeHead(404).end('<p>Not found</p>'));
    const said = await saidOfAll(azureStorage({ container: 'static', url, clientOptions }));
    expect(said).toEqual([
      `the store answers 404, which is not about a file. Is ${url}/static/ a container of Azure Blob Storage?`,
    ]);
  });

  test.each([{}, { 'Content-Length': 12 }])('who answers 200 is no store, %j', async (length) => {
    const page = '<p>Hello</p>';
    const url = await serve((_, response) => response.writeHead(200, length).end(page));
    const storage = azureStorage({ container: 'static', url, clientOptions });
    const why = `the answer of ${new URL(url).host} is not that of Azure Blob Storage. Does another server stand there, or between? Check the address: ${url}/static/.`;
    await expect(storage.read('a.css')).rejects.toThrow(
      new StorageError(`Could not read 'a.css' of ${url}/static/: ${why}`),
    );
    await expect(storage.exists('a.css')).rejects.toThrow(
      new StorageError(`Could not look up 'a.css' of ${url}/static/: ${why}`),
    );
  });

  test.each([
    ['KeyBasedAuthenticationNotPermitted', 403, 'takes no account keys'],
    ['AccountIsDisabled', 403, 'is disabled'],
    ['ContainerBeingDeleted', 409, 'is being deleted'],
    ['LeaseIdMissing', 412, 'somebody holds a lease on it'],
    ['InvalidBlobOrBlock', 400, 'another program left a part of an upload'],
    ['BlobImmutableDueToPolicy', 409, 'the store answers 409 BlobImmutableDueToPolicy: It is'],
    ['ServerBusy', 503, 'too busy'],
  ])('%s', async (code, status, said) => {
    const { proxy, storage } = await store.behindProxy();
    proxy.before = () => ({
      status,
      headers: { 'x-ms-error-code': code, 'Content-Type': 'application/xml' },
      body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>It is.\nRequestId:1</Message></Error>`,
    });
    const doing = storage.writeIf?.('a.css', bytes('a'), undefined);
    await expect(doing).rejects.toThrow(StorageError);
    await expect(doing).rejects.toThrow(said);
  });

  test.each([
    ['a page of HTML', 'text/html', '<!doctype html><html><body>Hello</body></html>'],
    ['a page that calls itself XML', 'application/xml', '<html><body>Hello</body></html>'],
    ['an empty element', 'application/xml', '<EnumerationResults/>'],
    ['nothing', 'application/xml', ''],
  ])('%s is not taken for a listing', async (_, type, body) => {
    const { proxy, storage } = await store.behindProxy();
    proxy.before = () => ({ status: 200, headers: { 'Content-Type': type }, body });
    const listing = storage.list()[Symbol.asyncIterator]().next();
    const { host } = new URL(storage.location);
    await expect(listing).rejects.toThrow(StorageError);
    await expect(listing).rejects.toThrow(
      `Could not list ${storage.location} (7 times): the answer of ${host} broke off, or is not that of Azure Blob Storage: it is no listing.`,
    );
  });
});
