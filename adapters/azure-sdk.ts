import { PeerError, systemCode } from '../src/errors.js';

/** The SDK of Azure Blob Storage, by the first call that needs it. */
export async function loadSdk() {
  try {
    return await import('@azure/storage-blob');
  } catch (cause) {
    if (systemCode(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const why = 'azureStorage() needs the SDK of Azure Blob Storage, which is not installed.';
    throw new PeerError('@azure/storage-blob', why, { cause });
  }
}
