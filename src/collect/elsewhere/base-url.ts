import { NotReadyError } from '../../errors.js';
import type { Storage } from '../../storage.js';

/** What the URLs of a storage begin with; some know that only when they have been asked to find out. */
export async function baseUrlOf(storage: Storage): Promise<string> {
  try {
    return storage.url('');
  } catch (error) {
    if (!(error instanceof NotReadyError) || storage.ready === undefined) throw error;
  }
  try {
    await storage.ready();
  } catch (fault) {
    return urlOr(storage, fault); // it may be the manifest that is not there yet
  }
  return storage.url('');
}

function urlOr(storage: Storage, fault: unknown): string {
  try {
    return storage.url('');
  } catch {
    throw fault; // which tells why
  }
}
