import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { SUFFIXES } from '../codings.js';
import { type Manifest, type Variant, variantsIn } from '../manifest.js';
import { contentType } from '../media-types.js';
import { extensionAt } from '../names.js';
import type { Hashing, Storage } from '../storage.js';
import { deploysOf } from './deploys.js';
import { liesIn } from './disk.js';
import { formOf } from './form.js';
import { IMMUTABLE, type ServingRules } from './rules.js';
import type { ServedFile, Source } from './source.js';
import { storedForm } from './stored-form.js';

/** Of so many files it is remembered what answers say; a kilobyte or two each. */
const MOST_FILES = 20_000;

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
  let owners = new Map<string, string>();
  const deploys = deploysOf(storage, hashing, (name) => owners.has(name), rules.warn);

  /** The manifest may have been read anew. */
  function follow(): Manifest | undefined {
    const current = hashing.manifest();
    if (current === manifest) return manifest;
    const before = manifest;
    manifest = current;
    owners = new Map();
    for (const [name, hashedName] of current?.paths ?? []) owners.set(hashedName, name);
    if (before !== undefined) deploys.remember(before);
    files.clear();
    return manifest;
  }

  async function targetOf(name: string, current: Manifest): Promise<Target | undefined> {
    const owner = owners.get(name);
    if (owner !== undefined) {
      const variants = variantsIn(current, owner);
      return { name: owner, hashedName: name, isImmutable: true, variants };
    }
    const hashedName = current.paths.get(name);
    if (hashedName !== undefined) {
      return { name, hashedName, isImmutable: false, variants: variantsIn(current, name) };
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
  async function isOurs(path: string): Promise<boolean> {
    const root = storage.path?.('') ?? '';
    const isInside = await liesIn(path, root);
    if (!isInside) rules.warn(`${path} is not served: it is a link out of ${root}.`);
    return isInside;
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

/** The hash in the hashed name, or where it is written otherwise, one of the name. */
function tagOf({ name, hashedName }: Target): string {
  const at = extensionAt(name);
  const hash = hashedName.slice(at + 1, hashedName.length - (name.length - at));
  const isOurs = hashedName === `${name.slice(0, at)}.${hash}${name.slice(at)}`;
  if (isOurs && /^[\w-]+$/.test(hash)) return hash;
  return createHash('sha256').update(hashedName).digest('base64url').slice(0, 16);
}
