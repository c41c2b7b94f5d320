import {
  BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
} from '@azure/storage-blob';
import { afterAll, beforeAll } from 'vitest';
import { type AzureStorage, type AzureStorageOptions, azureStorage } from '../../adapters/azure.js';
import { type Azurite, azurite } from '../azurite.js';
import { type ProxyOptions, proxyTo, type StoreProxy } from '../proxy.js';

/** An emulator for the tests of one file, and storages there. */
export interface AzureStore {
  readonly azurite: Azurite;
  /** In a new container, where none is named. */
  storage(options?: AzureStorageOptions): Promise<AzureStorage>;
  /** The SDK's client of a storage's container. */
  client(storage: AzureStorage): ContainerClient;
  /** A shared access signature for a storage's container, with permissions such as `rwdl`. */
  signature(storage: AzureStorage, permissions: string, seconds?: number): Promise<string>;
  /** Behind a proxy that makes faults until the test ends. */
  behindProxy(
    options?: ProxyOptions & { readonly storage?: AzureStorageOptions },
  ): Promise<{ readonly proxy: StoreProxy; readonly storage: AzureStorage }>;
}

/** Tests do not wait between tries. */
export const AT_ONCE = { retryOptions: { retryDelayInMs: 1 } };

export function useAzurite(): AzureStore {
  let running: Azurite;
  beforeAll(async () => {
    running = await azurite();
  });
  afterAll(() => running.stop());

  async function storage({ container, ...more }: AzureStorageOptions = {}) {
    return azureStorage({
      container: container ?? (await running.container()),
      connectionString: running.connectionString,
      clientOptions: AT_ONCE,
      ...more,
    });
  }

  function client({ location }: AzureStorage): ContainerClient {
    const [, , container = ''] = new URL(location).pathname.split('/');
    const service = BlobServiceClient.fromConnectionString(running.connectionString);
    return service.getContainerClient(container);
  }

  return {
    get azurite() {
      return running;
    },
    storage,
    client,
    async signature(storage, permissions, seconds = 3600) {
      const url = await client(storage).generateSasUrl({
        permissions: ContainerSASPermissions.parse(permissions),
        expiresOn: new Date(Date.now() + seconds * 1000),
      });
      return new URL(url).search.slice(1);
    },
    async behindProxy({ storage: more, ...options } = {}) {
      const { accountName, accountKey, url } = running;
      const { origin, pathname } = new URL(url);
      const proxy = await proxyTo(origin, options);
      const around = { connectionString: undefined, accountName, accountKey };
      return { proxy, storage: await storage({ ...around, url: proxy.url + pathname, ...more }) };
    },
  };
}

export const bytes = (text: string) => new TextEncoder().encode(text);

export async function text(body: Promise<Uint8Array | undefined>): Promise<string | undefined> {
  const found = await body;
  return found && Buffer.from(found).toString();
}
