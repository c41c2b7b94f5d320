import { PeerError, reason, systemCode } from './errors.js';

/**
 * Loads an optional package.
 *
 * @param peer its name
 * @param user what needs it, for people: `s3Storage()`
 * @throws {PeerError} where it is not installed.
 */
export async function loadPeer<T>(peer: string, user: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    // Not of a package that it needs itself.
    const isMissing = systemCode(cause) === 'ERR_MODULE_NOT_FOUND' && reason(cause).includes(peer);
    if (!isMissing) throw cause;
    throw new PeerError(peer, `${user} needs ${peer}.`, { cause });
  }
}
