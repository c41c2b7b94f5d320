import { readFile } from 'node:fs/promises';
import { reason, systemCode } from '../errors.js';
import { parseManifest } from '../manifest.js';
import { contentType } from '../media-types.js';
import type { Sources } from '../sources.js';
import type { Hashing } from '../storage.js';
import { stateOf, statOf } from './disk.js';
import { fileTag, formOf } from './form.js';
import type { ServingRules } from './rules.js';
import type { ServedFile, Source } from './source.js';
import { storedForm } from './stored-form.js';

/**
 * Development: static files as the finders find them at this moment. A hashed name that a manifest
 * has, of a page that is still open, is answered with the source of its name.
 */
export function liveSource(
  sources: Sources,
  hashing: Hashing | undefined,
  rules: ServingRules,
): Source {
  const owners = hashing && ownersIn(hashing, rules.warn);
  return {
    prefix: rules.prefix,
    passes: rules.passes,
    recall: () => undefined,
    async find(name) {
      if (name === '' || name.endsWith('/')) return undefined;
      const [found] = sources.find(name);
      if (found !== undefined) return liveFile(name, found.path, rules);
      const owner = (await owners?.())?.get(name);
      const [source] = owner === undefined ? [] : sources.find(owner);
      return source && liveFile(owner ?? name, source.path, rules);
    },
  };
}

/** A file as it is at this moment; nothing of it is kept. */
export function liveFile(
  name: string,
  path: string,
  rules: ServingRules,
  isOurs?: (path: string) => Promise<boolean>,
): ServedFile {
  const more = rules.headersOf(name, rules.pathOf(name));
  const form = storedForm({
    path,
    size: 0,
    bodies: rules.bodies,
    ...(isOurs && { isOurs }),
    describe: (found) =>
      formOf({
        ...found,
        tag: fileTag(found),
        contentType: contentType(name),
        cacheControl: rules.cacheControl,
        varies: false,
        more,
      }),
  });
  return { forms: [form] };
}

/** The names of the hashed names in a manifest of this machine, as it is now; none where none is. */
function ownersIn({ manifestName, manifestStorage }: Hashing, warn: (message: string) => void) {
  let state: string | undefined;
  let owners: ReadonlyMap<string, string> = new Map();
  return async (): Promise<ReadonlyMap<string, string>> => {
    const path = manifestStorage.path?.(manifestName);
    const found = path === undefined ? undefined : await statOf(path);
    const current = found && stateOf(found);
    if (current !== state) {
      state = current;
      owners = path === undefined ? new Map() : await readOwners(path, warn);
    }
    return owners;
  };
}

async function readOwners(path: string, warn: (message: string) => void) {
  try {
    const { paths } = parseManifest(await readFile(path), path);
    return new Map([...paths].map(([name, hashedName]) => [hashedName, name]));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') warn(`Hashed names are not served: ${reason(error)}`);
    return new Map<string, string>();
  }
}
