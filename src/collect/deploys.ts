import { SUFFIXES } from '../codings.js';
import { CollectError, reason } from '../errors.js';
import { type Manifest, parseManifest } from '../manifest.js';
import type { Hashing, Storage } from '../storage.js';

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
 * @throws {CollectError} where it cannot be read.
 */
export async function archived(storage: Storage, archive: string): Promise<Archived | undefined> {
  try {
    const body = await storage.read(archive);
    if (body === undefined) return undefined;
    const place = storage.path?.(archive) ?? (storage.location ?? '') + archive;
    return { manifest: parseManifest(body, place), body };
  } catch (cause) {
    throw new CollectError(
      `Nothing was pruned: the manifest of an earlier deploy cannot be read, and so there is no telling what that deploy needs. Delete it if its files may go. (${reason(cause)})`,
      { cause },
    );
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
export function namesOf(deploys: readonly KnownDeploy[], { manifestName }: Hashing): Set<string> {
  const names = new Set([manifestName]);
  const suffixes = ['', ...Object.values(SUFFIXES)];
  for (const { manifest } of deploys) {
    for (const pair of manifest.paths) {
      for (const name of pair) for (const suffix of suffixes) names.add(name + suffix);
    }
  }
  return names;
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
