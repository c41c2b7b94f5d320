import { CollectError } from '../errors.js';
import { manifestPlace } from '../manifest-reader.js';
import type { Hashing } from '../storage.js';
import { faultOf } from './fault.js';
import type { Run } from './run.js';

export const MANIFEST_FIELDS = { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache' };
const WRITING = { headers: MANIFEST_FIELDS, final: true };

/** The manifest that is published, with its tag where the storage has such. */
export interface Present {
  readonly body: Uint8Array;
  readonly tag?: string;
}

export async function readPresent({
  manifestName,
  manifestStorage,
}: Hashing): Promise<Present | undefined> {
  if (manifestStorage.readVersion === undefined) {
    const body = await manifestStorage.read(manifestName);
    return body && { body };
  }
  const version = await manifestStorage.readVersion(manifestName);
  return version === 'unchanged' ? undefined : version;
}

/**
 * Puts the manifest in the place of the one that was read before, in one step: from then on its names
 * are answered. Where another deploy has come first, that one stands.
 *
 * @returns what a person should know of it
 * @throws {CollectError} where another one has.
 */
export async function switchManifest(
  hashing: Hashing,
  body: Uint8Array,
  before: Present | undefined,
  tell: Run['tell'],
): Promise<string[]> {
  tell({ type: 'publish' });
  const doubts = await replace(hashing, body, before);
  tell({ type: 'published' });
  return doubts;
}

async function replace(
  hashing: Hashing,
  body: Uint8Array,
  before: Present | undefined,
): Promise<string[]> {
  const { manifestName, manifestStorage: storage } = hashing;
  let doubts: string[] = [];
  try {
    const answer = await storage.writeIf?.(manifestName, body, before?.tag, WRITING);
    if (answer === 'written') return [];
    if (answer !== 'changed') {
      doubts = [unsafe(hashing)];
      return await switchByLooking(hashing, body, before);
    }
  } catch (cause) {
    if (cause instanceof CollectError) throw cause; // who says so has looked
    const isElsewhere = storage.path === undefined;
    if (isElsewhere && (await isThere(hashing, body))) return doubts; // only the answer was lost
    throw faultOf(`The manifest could not be published as ${placeOf(hashing)}`, cause);
  }
  if (isSame((await readPresent(hashing))?.body, body)) return []; // the same release, twice
  throw lost(hashing);
}

/** The same where nobody can do that in one step: look, write, look again. */
async function switchByLooking(
  hashing: Hashing,
  body: Uint8Array,
  before: Present | undefined,
): Promise<string[]> {
  const { manifestName, manifestStorage: storage } = hashing;
  const isLocal = storage.path !== undefined; // nobody else deploys into this machine's folder
  const now = isLocal ? before : await readPresent(hashing);
  if (!isLocal && isSame(now?.body, body)) return []; // the same release, twice
  if (!isSame(now?.body, before?.body)) throw lost(hashing);
  await storage.write(manifestName, body, WRITING);
  if (isLocal) return [];
  if (!isSame((await readPresent(hashing))?.body, body)) throw lost(hashing);
  return [unsafe(hashing)];
}

async function isThere(hashing: Hashing, body: Uint8Array): Promise<boolean> {
  try {
    return isSame((await readPresent(hashing))?.body, body);
  } catch {
    return false; // nobody can tell; that it could not be written tells more
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}

function lost(hashing: Hashing): CollectError {
  return new CollectError(
    `Another deploy was published at ${placeOf(hashing)} since this one began, and that one stands; nobody is led to this one's files, but under plain names that both have, some may be this one's until the next run. If this is the newer release, run collectstatic again: what has been sent is not sent again.`,
  );
}

function unsafe(hashing: Hashing): string {
  return `The manifest was published, and read back as it was written. ${placeOf(hashing)} is kept where nobody can write on condition that nothing has changed: that another deploy at the same moment was overwritten cannot be excluded. Let one deploy run at a time.`;
}

/** Where the manifest is, for people. */
export function placeOf({ manifestName, manifestStorage }: Hashing): string {
  return manifestPlace(manifestStorage, manifestName);
}
