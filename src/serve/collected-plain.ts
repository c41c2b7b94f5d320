import type { Stats } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { CODINGS, type Coding, SUFFIXES } from '../codings.js';
import { contentType } from '../media-types.js';
import { PARTIAL, pathUnder, STATE_FOLDER } from '../names.js';
import { liesIn, pathIn, stateOf, statOf, staysIn } from './disk.js';
import { fileTag, formOf } from './form.js';
import { MOST_FILES, type ServingRules } from './rules.js';
import type { ServedFile, Source } from './source.js';
import { storedForm } from './stored-form.js';

/** For so long a file counts as unchanged: nothing to those who may keep it for a minute. */
const TRUSTED_MS = 1000;

interface Known {
  readonly file: ServedFile;
  /** What it was made of; the same means that it still holds. */
  readonly state: string;
  checkedAt: number;
}

/** What is told of a name by who knows the sources. */
export type IsSource = (name: string, path?: string) => Promise<boolean>;

/**
 * Production with plain names: what lies in the storage is looked up there, and looked at again when
 * it is asked for later.
 *
 * @param root the folder of the files
 * @param isSource whether a source file has that name; with a path, whether it is this very file
 */
export function plainSource(root: string, rules: ServingRules, isSource: IsSource): Source {
  const files = new LRUCache<string, Known>({ max: MOST_FILES });

  async function formsOf(name: string, path: string): Promise<[Coding | undefined, Stats][]> {
    const [found, ...compressed] = await Promise.all([
      statOf(path),
      ...CODINGS.map((coding) => statOf(path + SUFFIXES[coding])),
    ]);
    if (!found?.isFile()) return [];
    const forms: [Coding | undefined, Stats][] = [[undefined, found]];
    for (const [index, coding] of CODINGS.entries()) {
      const stats = compressed[index];
      // One that is older was made of what the file was before.
      if (!stats?.isFile() || Math.floor(stats.mtimeMs / 1000) < Math.floor(found.mtimeMs / 1000)) {
        continue;
      }
      if (!(await isSource(name + SUFFIXES[coding]))) forms.push([coding, stats]);
    }
    return forms;
  }

  function serve(name: string, path: string, forms: readonly [Coding | undefined, Stats][]) {
    const common = {
      contentType: contentType(name),
      cacheControl: rules.cacheControl,
      varies: forms.length > 1,
      more: rules.headersOf(name, rules.pathOf(name)),
    };
    return {
      forms: forms.map(([coding, { size }]) =>
        storedForm({
          path: coding === undefined ? path : path + SUFFIXES[coding],
          coding,
          size,
          bodies: rules.bodies,
          isOurs: (opened) => isOurs(name, opened),
          describe: (seen) => formOf({ ...common, ...seen, coding, tag: fileTag(seen) }),
        }),
      ),
    };
  }

  /** A link that `collectstatic --link` made leads to the source of its name; others stay inside. */
  async function isOurs(name: string, path: string): Promise<boolean> {
    // By another spelling, such as the short names of Windows, one may come to what is not for others.
    if (await liesIn(path, pathUnder(root, STATE_FOLDER))) return false;
    if (await liesIn(path, root)) return true;
    return (await isSource(name, path)) || staysIn(path, root, rules.warn);
  }

  /** Compressed forms are no files of their own, unless a source is really named so. */
  async function isVariant(name: string): Promise<boolean> {
    const suffix = Object.values(SUFFIXES).find((ending) => name.endsWith(ending));
    if (suffix === undefined) return false;
    const path = pathIn(root, name.slice(0, -suffix.length));
    const original = path === undefined ? undefined : await statOf(path);
    return original?.isFile() === true && !(await isSource(name));
  }

  return {
    prefix: rules.prefix,
    passes: rules.passes,
    recall(url) {
      const known = files.get(url);
      return known && Date.now() - known.checkedAt < TRUSTED_MS ? known.file : undefined;
    },
    async find(name) {
      const path = isOwn(name) ? undefined : pathIn(root, name);
      if (path === undefined || (await isVariant(name))) return undefined;
      const forms = await formsOf(name, path);
      const url = rules.pathOf(name);
      if (forms.length === 0) {
        files.delete(url);
        return undefined;
      }
      const state = forms.map(([coding = '', stats]) => `${coding} ${stateOf(stats)}`).join();
      const known = files.get(url);
      const file = known?.state === state ? known.file : serve(name, path, forms);
      files.set(url, { file, state, checkedAt: Date.now() });
      return file;
    },
  };
}

/** What collecting keeps for itself, or has not finished. */
function isOwn(name: string): boolean {
  const spelled = name.toLowerCase(); // some file systems do not tell the difference
  const last = spelled.slice(spelled.lastIndexOf('/') + 1);
  return spelled.startsWith(`${STATE_FOLDER}/`) || last.startsWith(PARTIAL);
}
