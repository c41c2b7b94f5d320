import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { IMMUTABLE } from '../cache-control.js';
import { SUFFIXES } from '../codings.js';
import { type Manifest, NO_MANIFEST, type Variant } from '../manifest.js';
import { contentType } from '../media-types.js';
import { extensionAt } from '../names.js';
import type { Hashing, Storage } from '../storage.js';
import { deploysOf } from './deploys.js';
import { staysIn } from './disk.js';
import { formOf } from './form.js';
import { MOST_FILES, type ServingRules } from './rules.js';
import type { ServedFile, Source } from './source.js';
import { storedForm } from './stored-form.js';

/** What a name is answered with. */
interface Target {
  /** The name of the source file, where the manifest tells. */
  readonly name: string;
  readonly hashedName: string;
  readonly isImmutable: boolean;
  readonly variants: readonly Variant[];
}

/**
 * Production with hashed names: the manifest alone decides what there is. Hashed names are answered
 * for good, also those of other deploys; plain names with the bytes of their hashed file.
 */
export function hashedSource(storage: Storage, hashing: Hashing, rules: ServingRules): Source {
  const files = new LRUCache<string, ServedFile>({ max: MOST_FILES });
  let manifest: Manifest | undefined;
  let owners: ReadonlyMap<string, string> | undefined;
  const deploys = deploysOf(storage, hashing, () => manifest, rules.warn);

  /** The manifest may have been read anew. */
  function follow(): Manifest | undefined {
    const current = hashing.manifest();
    if (current === manifest) return manifest;
    const before = manifest;
    manifest = current;
    owners = undefined;
    if (before !== undefined) deploys.remember(before);
    files.clear();
    return manifest;
  }

  /** The name of a hashed name. Most tell it themselves; a table of all takes time and memory. */
  function ownerOf(hashedName: string): string | undefined {
    const { paths } = manifest ?? NO_MANIFEST;
    if (owners === undefined) {
      const told = namesIn(hashedName).find((name) => paths.get(name) === hashedName);
      if (told !== undefined) return told;
      owners = new Map([...paths].map(([name, hashed]) => [hashed, name]));
    }
    return owners.get(hashedName);
  }

  async function targetOf(name: string, current: Manifest): Promise<Target | undefined> {
    const owner = ownerOf(name);
    if (owner !== undefined) {
      const variants = current.variantsOf(owner);
      return { name: owner, hashedName: name, isImmutable: true, variants };
    }
    const hashedName = current.paths.get(name);
    if (hashedName !== undefined) {
      return { name, hashedName, isImmutable: false, variants: current.variantsOf(name) };
    }
    const variants = await deploys.find(name);
    return variants && { name, hashedName: name, isImmutable: true, variants };
  }

  function serve(url: string, target: Target): ServedFile {
    const { name, hashedName, isImmutable, variants } = target;
    const path = storage.path?.(hashedName) ?? '';
    const tag = tagOf(target);
    const common = {
      contentType: contentType(hashedName),
      cacheControl: isImmutable ? IMMUTABLE : rules.cacheControl,
      varies: variants.length > 0,
      more: rules.headersOf(name, url),
    };
    const form = (suffix: string, size: number, coding?: Variant['coding']) =>
      storedForm({
        path: path + suffix,
        coding,
        size,
        bodies: rules.bodies,
        isOurs,
        onGone: () => rules.warn(`'${hashedName + suffix}' is in a manifest, and not at ${path}.`),
        describe: (found) =>
          formOf({ ...common, ...found, coding, tag: `${tag}-${found.size.toString(16)}` }),
      });
    const compressed = variants.map(({ coding, size }) => form(SUFFIXES[coding], size, coding));
    return { forms: [form('', Number.POSITIVE_INFINITY), ...compressed] };
  }

  /** A link that was put into the tree is no file that was collected. */
  function isOurs(path: string): Promise<boolean> {
    return staysIn(path, storage.path?.('') ?? '', rules.warn);
  }

  return {
    prefix: rules.prefix,
    passes: rules.passes,
    recall(path) {
      if (manifest === undefined) return undefined;
      follow();
      return files.get(path);
    },
    async find(name) {
      if (manifest === undefined) await storage.ready?.();
      const current = follow();
      const target = current && (await targetOf(name, current));
      if (target === undefined) return undefined;
      const path = rules.pathOf(name);
      const file = files.get(path) ?? serve(path, target);
      if (current === manifest) files.set(path, file);
      return file;
    },
  };
}

/** The names that a hashed name may be of: itself, where it was hashed before, or without the hash. */
function namesIn(hashedName: string): string[] {
  const names = [hashedName];
  const hash = /\.[^./]+(?=(?:\.[^./]*)?$)/g;
  for (const { 0: part, index } of hashedName.matchAll(hash)) {
    names.push(hashedName.slice(0, index) + hashedName.slice(index + part.length));
  }
  return names;
}

/** The hash in the hashed name, or where it is written otherwise, one of the name. */
function tagOf({ name, hashedName }: Target): string {
  const at = extensionAt(name);
  const hash = hashedName.slice(at + 1, hashedName.length - (name.length - at));
  const isOurs = hashedName === `${name.slice(0, at)}.${hash}${name.slice(at)}`;
  if (isOurs && /^[\w-]+$/.test(hash)) return hash;
  return createHash('sha256').update(hashedName).digest('base64url').slice(0, 16);
}
