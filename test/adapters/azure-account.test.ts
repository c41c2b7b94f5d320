import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type AzureStorageOptions, azureStorage } from '../../adapters/azure.js';
import { SetupError } from '../../src/errors.js';
import { azurite, trusting } from '../azurite.js';
import { project } from '../project.js';
import { bytes, text, useAzurite } from './azure-store.js';

const store = useAzurite();
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

const getToken = async () => ({ token: token(), expiresOnTimestamp: Date.now() + 3_600_000 });

/** As much of a token as the emulator looks at; it checks no signature. */
function token(): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'https://sts.windows.net/0/',
    aud: 'https://storage.azure.com',
    iat: now - 60,
    nbf: now - 60,
    exp: now + 3600,
  };
  const parts = [{ alg: 'none', typ: 'JWT' }, claims].map((part) => JSON.stringify(part));
  return `${parts.map((part) => Buffer.from(part).toString('base64url')).join('.')}.`;
}

describe('a container in Azure is reached', () => {
  test('by all that proves who asks', async () => {
    const { connectionString, accountName, accountKey, url } = store.azurite;
    const own = await store.storage();
    await own.write('a.css', bytes('a'));
    const client = store.client(own);
    const container = client.containerName;
    const signature = await store.signature(own, 'rl');
    const ways: AzureStorageOptions[] = [
      { container, connectionString },
      { container, connectionString: `BlobEndpoint=${url}/;SharedAccessSignature=?${signature}` },
      { container, accountName, accountKey, url },
      { container, accountName, accountKey, url: `${url}/` },
      { container, url, credential: new StorageSharedKeyCredential(accountName, accountKey) },
      { container, url, credential: signature },
      { container, url, credential: `?${signature}` },
      { container, url: `${url}/?${signature}` },
      { client },
      { client, container },
      { client: new BlobServiceClient(`${url}?${signature}`).getContainerClient(container) },
    ];
    for (const way of ways) {
      const there = azureStorage(way);
      expect(there.location).toBe(`${url}/${container}/`);
      expect(await text(there.read('a.css'))).toBe('a');
      const names: string[] = [];
      for await (const name of there.list()) names.push(name);
      expect(names).toEqual(['a.css']);
    }
  });

  test('without any proof where it is public', async () => {
    const container = await store.azurite.container({ public: true });
    await (await store.storage({ container })).write('a.css', bytes('a'));
    const there = azureStorage({ container, url: store.azurite.url });
    expect(await text(there.read('a.css'))).toBe('a');
    expect(await there.read('gone.css')).toBeUndefined();
  });

  test.skipIf(!hasOpenssl)(
    `by tokens${hasOpenssl ? '' : ' (skipped: no openssl here)'}`,
    async () => {
      const folder = project({});
      const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
      const making = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=azurite -addext';
      const files = ['subjectAltName=IP:127.0.0.1', '-out', tls.cert, '-keyout', tls.key];
      execFileSync('openssl', [...making.split(' '), ...files], { stdio: 'ignore' });
      const secure = await azurite({ tls });
      onTestFinished(secure.stop);
      const container = await secure.container();
      const scopes: unknown[] = [];
      const there = azureStorage({
        container,
        url: secure.url,
        clientOptions: trusting(tls.cert),
        credential: {
          async getToken(scope) {
            scopes.push(scope);
            return { token: token(), expiresOnTimestamp: Date.now() + 3_600_000 };
          },
        },
      });
      await there.write('a.css', bytes('a'));
      expect(await text(there.read('a.css'))).toBe('a');
      expect(scopes).toEqual([['https://storage.azure.com/.default']]);
      await expect(there.signedUrl('a.css', { expiresIn: 60 })).rejects.toThrow(
        'signedUrl() needs the key of the storage account',
      );
      const distrusted = azureStorage({ container, url: secure.url, credential: { getToken } });
      await expect(distrusted.read('a.css')).rejects.toThrow(/cannot be reached: .*self.signed/i);
    },
  );

  const key = 'AccountName=example;AccountKey=a2V5';

  test.each<[AzureStorageOptions, string]>([
    [{ accountName: 'example', accountKey: 'a2V5' }, 'https://example.blob.core.windows.net'],
    [
      { accountName: 'example', accountKey: 'a2V5', url: 'https://files.example.com' },
      'https://files.example.com',
    ],
    [{ connectionString: key }, 'https://example.blob.core.windows.net'],
    [
      {
        connectionString: `DefaultEndpointsProtocol=https;${key};EndpointSuffix=core.chinacloudapi.cn`,
      },
      'https://example.blob.core.chinacloudapi.cn',
    ],
    [{ connectionString: `BlobEndpoint=https://e.com/;${key}` }, 'https://e.com'],
    [{ connectionString: 'UseDevelopmentStorage=true' }, 'http://127.0.0.1:10000/devstoreaccount1'],
  ])('%j', (options, address) => {
    expect(azureStorage({ container: 'static', ...options }).url('a.css')).toBe(
      `${address}/static/a.css`,
    );
  });
});

const credential = { getToken };
const client = new BlobServiceClient('https://example.blob.core.windows.net').getContainerClient(
  'c12',
);
const named = { accountName: 'example', accountKey: 'a2V5' };

test.each<[unknown, string]>([
  [
    { ...named, containr: 'c12' },
    "'containr' is no option of azureStorage(). Did you mean 'container'?",
  ],
  [named, 'azureStorage() needs a container.'],
  [
    { ...named, container: 'Static' },
    "azureStorage()'s container must be 3 to 63 lower-case letters, digits and single hyphens, not 'Static'.",
  ],
  [
    { ...named, container: 'a--b' },
    "azureStorage()'s container must be 3 to 63 lower-case letters, digits and single hyphens, not 'a--b'.",
  ],
  [
    { container: 'c12' },
    'azureStorage() must know the storage account: give it a connectionString, accountName with accountKey or credential, a url, or a client.',
  ],
  [
    { container: 'c12', accountName: 'example' },
    "azureStorage()'s accountName needs accountKey or credential. Is a variable not set?",
  ],
  [{ container: 'c12', accountKey: 'a2V5' }, "azureStorage()'s accountKey needs accountName."],
  [
    { container: 'c12', accountName: 'an-account', accountKey: 'a2V5' },
    "azureStorage()'s accountName must be 3 to 24 lower-case letters and digits, not 'an-account'.",
  ],
  [
    { container: 'c12', ...named, credential },
    'azureStorage() takes an accountKey or a credential, not both.',
  ],
  [
    { container: 'c12', ...named, connectionString: 'a=b' },
    'azureStorage() takes a connectionString or accountName, not both.',
  ],
  [
    { container: 'c12', connectionString: '' },
    "azureStorage()'s connectionString must be a string that is not empty. Is a variable not set?",
  ],
  [
    { container: 'c12', connectionString: 'AccountName=a;AccountKey=' },
    "azureStorage()'s connectionString has no AccountName with AccountKey, and no BlobEndpoint with SharedAccessSignature.",
  ],
  [
    { container: 'c12', connectionString: 'BlobEndpoint=https://e.com' },
    "azureStorage()'s connectionString has no AccountName with AccountKey, and no BlobEndpoint with SharedAccessSignature.",
  ],
  [
    { container: 'c12', url: 'example.com' },
    "azureStorage()'s url must be such as 'https://account.blob.core.windows.net'.",
  ],
  [
    { container: 'c12', url: 'https://e.com/?a=b' },
    "azureStorage()'s url has a query that is no shared access signature: 'https://e.com/?a=b'.",
  ],
  [
    { container: 'c12', url: 'https://e.com/?sig=b', credential },
    "azureStorage()'s url has a shared access signature in it, and there is another proof besides.",
  ],
  [
    { container: 'c12', url: 'https://e.com', credential: 'secret' },
    "azureStorage()'s credential is a string without 'sig=', and so no shared access signature.",
  ],
  [
    { container: 'c12', url: 'https://e.com', credential: {} },
    "azureStorage()'s credential must be one of @azure/identity, or a shared access signature.",
  ],
  [{ client, url: 'https://e.com' }, 'azureStorage() takes a client or url, not both.'],
  [{ client, clientOptions: {} }, 'azureStorage() takes a client or clientOptions, not both.'],
  [
    { client, container: 'other' },
    "azureStorage()'s container is 'other', and its client's 'c12'.",
  ],
  [
    { client: {} },
    "azureStorage()'s client must be a ContainerClient: new BlobServiceClient(…).getContainerClient(…).",
  ],
  [{ client, publicUrl: '/static' }, "azureStorage()'s publicUrl must end in a slash: '/static'."],
  [
    { client, publicUrl: 7 },
    "azureStorage()'s publicUrl must be a string such as 'https://cdn.example.com/static/'.",
  ],
  [{ client, prefix: 7 }, "azureStorage()'s prefix must be the name of a folder."],
  [
    { client, concurrency: 0 },
    "azureStorage()'s concurrency must be a whole number from 1 on, not 0.",
  ],
  [
    { client, blockSize: 1000 },
    "azureStorage()'s blockSize must be a whole number of bytes, from 65536 to 4194304000, not 1000.",
  ],
  [
    { client, accessTier: 'Archive' },
    "azureStorage()'s accessTier must be 'Hot', 'Cool' or 'Cold', not 'Archive'.",
  ],
  [{ client, encoding: 'zstd' }, "azureStorage()'s encoding must be 'br' or 'gzip', not 'zstd'."],
  [
    { client, headers: { 'X-A': 'b' } },
    "azureStorage()'s headers: Azure keeps no X-A with a file, but cache-control, content-type, content-encoding, content-language, content-disposition. Let the CDN in front of it add other fields.",
  ],
  [
    { client, headers: { 'Cache-Control': 'ü' } },
    "azureStorage()'s headers: Cache-Control must be a string of printable ASCII characters.",
  ],
  [
    { client, headers: { 'Cache Control': 'no-cache' } },
    "azureStorage()'s headers: 'Cache Control' can be no name of a header field.",
  ],
  [
    { client, headers: async () => ({}) },
    "azureStorage()'s headers must be a function that answers at once, not a promise.",
  ],
  [
    { container: 'c12', ...named, clientOptions: 5 },
    "azureStorage()'s clientOptions takes an object of options: { proxyOptions, userAgentOptions, retryOptions, keepAliveOptions, httpClient, audience }.",
  ],
  [
    { container: 'c12', ...named, clientOptions: { retryOption: { maxTries: 2 } } },
    "'retryOption' is no option of azureStorage()'s clientOptions. Did you mean 'retryOptions'?",
  ],
  [
    { container: 'c12', ...named, clientOptions: { retryOptions: 5 } },
    "azureStorage()'s clientOptions.retryOptions takes an object of options: { maxTries, tryTimeoutInMs, retryDelayInMs, maxRetryDelayInMs }.",
  ],
  [
    { container: 'c12', ...named, clientOptions: { retryOptions: { maxTries: 'six' } } },
    "azureStorage()'s clientOptions.retryOptions.maxTries must be a number greater than 0, not six.",
  ],
  [
    { client, headers: [] },
    "azureStorage()'s headers must be an object of header fields, or a function of a name that answers one.",
  ],
  [
    { container: 'c12', ...named, clientOptions: { retryOptions: { secondaryHost: 'b' } } },
    "'secondaryHost' is no option of azureStorage()'s clientOptions.retryOptions. There are maxTries, tryTimeoutInMs, retryDelayInMs, maxRetryDelayInMs.",
  ],
  [
    { container: 'c12', ...named, clientOptions: { retryOptions: { maxTries: 0 } } },
    "azureStorage()'s clientOptions.retryOptions.maxTries must be a number greater than 0, not 0.",
  ],
])('azureStorage refuses %j', (options, message) => {
  expect(() => azureStorage(options as AzureStorageOptions)).toThrow(new SetupError(message));
});
