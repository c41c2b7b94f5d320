import { manifestNameOf } from '../archive.js';
import { SUFFIXES } from '../codings.js';
import { CollectError, ManifestError, reason } from '../errors.js';
import { type Manifest, parseManifest } from '../manifest.js';
import { manifestPlace } from '../manifest-reader.js';
import type { Hashing, Storage } from '../storage.js';
import { faultOf } from './fault.js';

/** A deploy: a manifest that was published. */
export interface Deploy {
  /** When it was published. */
  readonly published: Date;
  /** How many names it has. */
  readonly names: number;
}

/** What pruning did, or would have done in a dry run. */
export interface PruneReport {
  readonly dryRun: boolean;
  /** The deploys that stay, the present one first. */
  readonly kept: readonly Deploy[];
  readonly dropped: readonly Deploy[];
  readonly deleted: readonly string[];
  /** The size of what was deleted. */
  readonly bytes: number;
}

/** What `prune` was told. */
export interface Pruning {
  readonly dryRun: boolean;
  readonly rules: Rules;
  onDelete(name: string): void;
}

/** A deploy with what it needs. */
export interface KnownDeploy {
  readonly manifest: Manifest;
  readonly published: number;
  /** When another one took its place; the present one has none. */
  readonly replaced: number | undefined;
  /** The names of its copies in the archive. */
  readonly archives: string[];
}

/** A manifest of the archive, with its bytes. */
export interface Archived {
  readonly manifest: Manifest;
  readonly body: Uint8Array;
}

/**
 * Reads a manifest of the archive; `undefined` where it is gone.
 *
 * @throws {CollectError} where it is none, with a ManifestError as the cause.
 * @throws {StaticFilesError} where it cannot be had.
 */
export async function archived(storage: Storage, archive: string): Promise<Archived | undefined> {
  const place = manifestPlace(storage, archive);
  const body = await bytesOf(storage, archive, place);
  if (body === undefined) return undefined;
  try {
    return { manifest: parseManifest(body, place, ''), body };
  } catch (cause) {
    throw new CollectError(
      `Nothing was pruned: the manifest of another deploy cannot be read, and so there is no telling what that deploy needs. ${reason(cause)} Delete it if the files of that deploy may go.`,
      { cause },
    );
  }
}

async function bytesOf(storage: Storage, name: string, place: string) {
  try {
    return await storage.read(name);
  } catch (cause) {
    throw faultOf(`The manifest ${place} of another deploy could not be read`, cause);
  }
}

/** Which deploys stay. */
export interface Rules {
  /** How many. */
  readonly keep: number;
  /** Those that were replaced within so many milliseconds stay as well. */
  readonly age: number;
}

/** @param deploys the latest first */
export function divide<Deploy extends KnownDeploy>(
  deploys: readonly Deploy[],
  { keep, age }: Rules,
  now: number = Date.now(),
) {
  const stays = ({ replaced }: Deploy, index: number) =>
    replaced === undefined || index < keep || (age > 0 && now - replaced < age);
  return {
    kept: deploys.filter(stays),
    dropped: deploys.filter((deploy, index) => !stays(deploy, index)),
  };
}

/** Every name that the deploys need: plain, hashed, compressed, and the manifest itself. */
export function namesOf(
  deploys: readonly Pick<KnownDeploy, 'manifest'>[],
  { manifestName }: Pick<Hashing, 'manifestName'>,
): Set<string> {
  const names = new Set([manifestName]);
  const suffixes = ['', ...Object.values(SUFFIXES)];
  for (const { manifest } of deploys) {
    for (const pair of manifest.paths) {
      for (const name of pair) for (const suffix of suffixes) names.add(name + suffix);
    }
  }
  return names;
}

/**
 * Every name that others need, who collect into the same place and publish manifests of other names:
 * which of their deploys stay, is theirs to say.
 *
 * @param archives names of the archive; those of this project are passed over
 * @throws {CollectError} where one of theirs cannot be read.
 */
export async function neededByOthers(
  storage: Storage,
  hashing: Hashing,
  archives: readonly string[],
): Promise<Set<string>> {
  const needed = new Set<string>();
  const add = (manifest: Manifest, manifestName: string) => {
    for (const name of namesOf([{ manifest }], { manifestName })) needed.add(name);
  };
  const manifestNames = new Set<string>();
  for (const archive of archives) {
    const manifestName = manifestNameOf(archive);
    if (manifestName === hashing.manifestName) continue;
    manifestNames.add(manifestName);
    const found = await archived(storage, archive);
    if (found !== undefined) add(found.manifest, manifestName);
  }
  // The copy of one that is published may be missing: it is written afterwards in a folder.
  for (const manifestName of manifestNames) {
    for (const place of [storage, hashing.manifestStorage]) {
      const manifest = await manifestAt(place, manifestName);
      if (manifest !== undefined) add(manifest, manifestName);
    }
  }
  return needed;
}

/** `undefined` where there is none: a file may be called so that is something else. */
async function manifestAt(storage: Storage, name: string): Promise<Manifest | undefined> {
  const body = await storage.read(name);
  try {
    return body && parseManifest(body, name);
  } catch (error) {
    if (error instanceof ManifestError) return undefined;
    throw error;
  }
}

/** What is wrong where nothing is published. */
export function nothingPublished({ manifestName, manifestStorage }: Hashing): CollectError {
  const place = manifestStorage.location ?? '';
  return new CollectError(
    `Nothing was pruned: there is no manifest '${place}${manifestName}', and so no telling what is needed. Run collectstatic first.`,
  );
}

/** What a person is told of it. */
export function reported({ published, manifest }: KnownDeploy): Deploy {
  return { published: new Date(published), names: manifest.paths.size };
}
