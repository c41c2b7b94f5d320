import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryIndex, INDEX_POLICY } from './directory-index.js';
import { pathIn, statOf, staysIn } from './disk.js';
import { fileTag, formOf } from './form.js';
import { liveFile } from './live.js';
import type { ServingRules } from './rules.js';
import type { ServedFile, Source } from './source.js';

/**
 * A folder's files as they are at this moment; Django's `static.serve`. Links that lead out of it are
 * not followed.
 *
 * @param showIndexes whether a folder in it is answered with the list of what it holds
 */
export function folderSource(root: string, rules: ServingRules, showIndexes = false): Source {
  const isOurs = (path: string) => staysIn(path, root, rules.warn);

  async function list(name: string, path: string): Promise<ServedFile | undefined> {
    if (!showIndexes || !(await isOurs(path))) return undefined;
    if (name !== '' && !name.endsWith('/'))
      return { forms: [], location: `${rules.pathOf(name)}/` };
    const entries = await Promise.all(
      (await readdir(path)).map(async (entry) => {
        const stats = await statOf(join(path, entry));
        if (stats === undefined) return []; // a link to nowhere
        const { size, mtimeMs } = stats;
        return [{ name: entry, isFolder: stats.isDirectory(), size, mtimeMs }];
      }),
    );
    return pageOf(directoryIndex(decodeURIComponent(rules.prefix) + name, entries.flat()), rules);
  }

  return {
    prefix: rules.prefix,
    passes: rules.passes,
    recall: () => undefined,
    async find(name) {
      const path = pathIn(root, name);
      const stats = path === undefined ? undefined : await statOf(path);
      if (path === undefined || stats === undefined) return undefined;
      if (stats.isDirectory()) return list(name, path);
      return liveFile(name, path, rules, isOurs);
    },
  };
}

/** A page that was made just now. */
function pageOf(html: string, { cacheControl }: ServingRules): ServedFile {
  const body = Buffer.from(html);
  const found = { size: body.length, mtimeMs: Date.now() };
  const form = formOf({
    ...found,
    tag: fileTag(found),
    contentType: 'text/html; charset=utf-8',
    cacheControl,
    varies: false,
    more: { 'Content-Security-Policy': INDEX_POLICY },
  });
  return {
    forms: [{ size: body.length, form, body: () => body, open: async () => ({ form, body }) }],
  };
}
