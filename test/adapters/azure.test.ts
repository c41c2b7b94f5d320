import { beforeAll, describe, expect, test } from 'vitest';
import { type AzureStorageOptions, azureStorage } from '../../adapters/azure.js';
import { type Azurite, azurite } from '../azurite.js';
import { storageContract } from '../contracts/storage.js';

let store: Azurite;
beforeAll(async () => {
  store = await azurite();
});

async function storage(options: AzureStorageOptions = {}) {
  const container = options.container ?? (await store.container());
  return azureStorage({ connectionString: store.connectionString, container, ...options });
}

const LIMITS = { recordsTimes: false };
storageContract('azureStorage', storage, LIMITS);
storageContract('azureStorage with a prefix', () => storage({ prefix: 'a/prefix %41' }), LIMITS);
