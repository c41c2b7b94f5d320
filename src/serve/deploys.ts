import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveOf } from '../archive.js';
import { ManifestError, orUndefined, reason } from '../errors.js';
import { type Manifest, parseManifest, type Variant } from '../manifest.js';
import type { Hashing, Storage } from '../storage.js';
import { stateOf, statOf } from './disk.js';

/** Hashed names of other deploys than the one that this process answers URLs of. */
export interface Deploys {
  /** The compressed forms of a hashed name; `undefined` where no deploy has it. */
  find(hashedName: string): Promise<readonly Variant[] | undefined>;
  /** Keeps in mind what a manifest names, but for what the present one names as well. */
  remember(manifest: Manifest): void;
}

/** How often the disk is looked at for names that nobody knows. */
const LOOK_MS = 1000;

/** Of so many deploys names are answered; of older ones hardly a page is open any more. */
const MOST = 20;

/**
 * The manifests that lie in the storage besides: those of earlier deploys, which pages that are still
 * open refer to, and that of a later one, whose pages another process answers with already. They are
 * read when a name is asked for that the present manifest lacks.
 */
export function deploysOf(
  storage: Storage,
  { manifestName, manifestStorage }: Hashing,
  present: () => Manifest | undefined,
  warn: (message: string) => void,
): Deploys {
  const known = new Map<string, readonly Variant[]>();
  const seen = new Map<string, string>();
  const parsed = new Set<string>();
  let lookedAt = 0;
  let looking: Promise<void> | undefined;

  function remember(manifest: Manifest): void {
    const now = present();
    for (const [name, hashedName] of manifest.paths) {
      if (now?.paths.get(name) === hashedName || known.has(hashedName)) continue;
      known.set(detached(hashedName), manifest.variantsOf(name));
    }
  }

  /** What cannot be read, as by another user's rights, is as if it were not there, and told. */
  async function attempt<T>(call: () => Promise<T>, none: T): Promise<T> {
    try {
      return await call();
    } catch (error) {
      warn(`The files of another deploy are not served: ${reason(error)}`);
      return none;
    }
  }

  async function read(path: string): Promise<void> {
    const stats = await statOf(path);
    const state = stats && stateOf(stats);
    if (state === undefined || seen.get(path) === state) return;
    const body = await readFile(path).catch((cause: unknown) => {
      throw new ManifestError(`${path} cannot be read: ${reason(cause)}`, path, { cause });
    });
    seen.set(path, state); // read, though it may be none
    const digest = createHash('sha1').update(body).digest('base64');
    if (parsed.has(digest)) return; // the present manifest lies among the earlier ones too
    parsed.add(digest);
    remember(parseManifest(body, path, ''));
  }

  /** Reads manifests, the newest first, until one has the name. */
  async function lookFor(hashedName: string): Promise<void> {
    const folder = storage.path?.(archiveOf(manifestName));
    const archived = folder === undefined ? [] : await attempt(() => filesIn(folder), []);
    const latest = archived
      .filter((name) => name.endsWith('.json'))
      .sort()
      .reverse()
      .slice(0, MOST);
    const paths = latest.map((name) => join(folder ?? '', name));
    if (manifestStorage.path) paths.unshift(manifestStorage.path(manifestName));
    for (const path of paths) {
      await attempt(() => read(path), undefined);
      if (known.has(hashedName)) return;
    }
    lookedAt = Date.now(); // at all of them
  }

  return {
    remember,
    async find(hashedName) {
      // Hashed names have a dot in their last part; where the base is `/`, most others are pages.
      if (!/\.[^/]*$/.test(hashedName)) return undefined;
      while (!known.has(hashedName) && Date.now() - lookedAt >= LOOK_MS) {
        looking ??= lookFor(hashedName).finally(() => {
          looking = undefined;
        });
        await looking;
      }
      return known.get(hashedName);
    },
  };
}

/** Folders there are those of manifests with other names. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = (await orUndefined(readdir(folder, { withFileTypes: true }))) ?? [];
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

/** A text of its own: a part of another would keep the whole manifest in memory. */
function detached(text: string): string {
  return Buffer.from(text).toString();
}
