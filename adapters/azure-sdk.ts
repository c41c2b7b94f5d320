import { PeerError, reason, systemCode } from '../src/errors.js';

const SDK = '@azure/storage-blob';

/** The SDK of Azure Blob Storage. @throws {PeerError} where it is not installed. */
export async function loadSdk() {
  const load = () => import('@azure/storage-blob');
  try {
    return await load();
  } catch (cause) {
    // Not of a package that it needs itself.
    const isMissing = systemCode(cause) === 'ERR_MODULE_NOT_FOUND' && reason(cause).includes(SDK);
    if (!isMissing) throw cause;
    throw new PeerError(SDK, `azureStorage() needs ${SDK}.`, { cause });
  }
}
