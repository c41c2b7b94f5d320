import type { ListedFile, Storage } from '../../storage.js';
import { eachOf } from '../flight.js';
import type { Published } from '../publish.js';
import { type Archive, readArchive, type Writer, writersOf } from './generations.js';
import { type Sums, sumsOf } from './record.js';
import type { Witness } from './shelf.js';

/*
 * Stores tell no MD5 of files that were sent in parts, and some of none. What is under a plain name is
 * what whoever wrote it last has put there: the manifest of each deploy says what that is, and the time
 * of the file, by the same clock as those of manifests, whose it may be.
 */

/** Asks the archive, and reads the manifests of all who come into question. */
export function witnessOf(
  storage: Storage,
  archive: Archive,
  present: Pick<Published, 'body' | 'digest'> | undefined,
): Witness {
  const suspects = (known: Archive, files: readonly ListedFile[]) =>
    writersOf(known, present?.digest)?.filter((one) => files.some((file) => mayBeOf(one, file)));

  return async (files, published = Number.POSITIVE_INFINITY) => {
    let writers = files.length === 0 ? undefined : suspects(archive, files);
    // Whoever has written one of these files, has said so before: also one that has come meanwhile.
    if (writers?.length)
      writers = suspects(await readArchive(storage, archive.manifestName), files);
    if (writers === undefined) return () => false;
    const all = writers;
    const sums = await readSums(storage, all, present);
    const first = Math.min(...all.map(({ from }) => from));

    return ({ source, md5 }, file) => {
      const by = all.filter((one) => mayBeOf(one, file)).map(({ digest }) => digest);
      if (present !== undefined && file.mtimeMs <= published) by.push(present.digest);
      // Before the first deploy, anybody may have written files of that name.
      if (present === undefined && file.mtimeMs <= first) return false;
      const told = by.map((digest) => sums.get(digest)?.(source.name));
      const known = told.filter((sum) => sum !== undefined);
      return known.length > 0 && known.every((sum) => sum === md5);
    };
  };
}

function mayBeOf({ from, until }: Writer, { mtimeMs }: ListedFile): boolean {
  return from <= mtimeMs && mtimeMs <= until;
}

/** What they have put under plain names, by the digests of their manifests. */
async function readSums(
  storage: Storage,
  writers: readonly Writer[],
  present: Pick<Published, 'body' | 'digest'> | undefined,
): Promise<ReadonlyMap<string, Sums>> {
  const sums = new Map<string, Sums>();
  const places = new Map(writers.map(({ digest, name }) => [digest, name]));
  if (present !== undefined) {
    sums.set(present.digest, sumsOf(present.body, storage.encoding));
    places.delete(present.digest);
  }
  await eachOf(
    places,
    async ([digest, name]) => {
      sums.set(digest, sumsOf(await storage.read(name), storage.encoding));
    },
    storage.concurrency,
  );
  return sums;
}
