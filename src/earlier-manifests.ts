import { archiveOf, type Generation, generationOf, inOrder, publishedOf } from './archive.js';
import { reason, sentence } from './errors.js';
import { type Manifest, parseManifest } from './manifest.js';
import type { Storage } from './storage.js';

/**
 * Manifests of deploys before the present one. While one release takes the place of another, processes
 * of the old one ask for names that only they know; the files of those names are still there.
 */
export interface EarlierManifests {
  /** What the latest of them that has the name says of it. */
  hashedName(name: string): string | undefined;
  /** One more that is no longer the present one. */
  add(manifest: Manifest): void;
  /**
   * Reads those before the present one from the archive of that name. Where that cannot be done, as
   * without the right to list, it is told, and nothing else is wrong.
   */
  load(
    storage: Storage,
    manifestName: string,
    digest: string,
    warn: (message: string) => void,
  ): Promise<void>;
}

/** How many are remembered: more releases than these are seldom on their way at once. */
const MOST = 3;
/** How many are read from the archive. */
const MOST_READ = 2;

export function earlierManifests(): EarlierManifests {
  /** The latest first. */
  let manifests: readonly Manifest[] = [];
  return {
    hashedName(name) {
      for (const { paths } of manifests) {
        const hashed = paths.get(name);
        if (hashed !== undefined) return hashed;
      }
      return undefined;
    },
    add(manifest) {
      manifests = [manifest, ...manifests].slice(0, MOST);
    },
    async load(storage, manifestName, digest, warn) {
      try {
        const read = await Promise.all(
          (await before(storage, manifestName, digest)).map(async ({ name }) => {
            const body = await storage.read(name);
            return body === undefined ? [] : [parseManifest(body, name)]; // pruned meanwhile
          }),
        );
        manifests = [...manifests, ...read.flat()].slice(0, MOST);
      } catch (error) {
        warn(
          `The manifests of earlier deploys cannot be read in ${storage.location ?? 'the storage'}: ${sentence(reason(error))} Pages of an earlier release that ask for names which only that had, fail in this process.`,
        );
      }
    },
  };
}

/** The deploys that the present one took the place of, the latest first. */
async function before(
  storage: Storage,
  manifestName: string,
  digest: string,
): Promise<Generation[]> {
  const generations: Generation[] = [];
  for await (const entry of storage.entries?.(archiveOf(manifestName)) ?? []) {
    const generation = generationOf(entry);
    if (generation.manifestName === manifestName) generations.push(generation);
  }
  const line = publishedOf(inOrder(generations), digest);
  return line.filter((one) => one.digest !== digest).slice(0, MOST_READ);
}
