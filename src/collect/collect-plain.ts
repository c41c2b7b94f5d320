import { stat } from 'node:fs/promises';
import type { FoundFile } from '../finder.js';
import { compareNames } from '../names.js';
import type { Storage } from '../storage.js';
import type { Original } from './compress.js';
import { type Desk, isOwn } from './desk.js';
import { collectFault } from './fault.js';
import { eachOf } from './flight.js';
import type { CollectOptions, Outcome, Run } from './run.js';
import { compressFiles } from './variants.js';
import { copy, isUnmodified, link, linksTo, removeObstacles } from './write.js';

/** Collects files under their plain names: what is there with the same size and time is left alone. */
export async function collectPlain(run: Run, desk: Desk, root: string): Promise<Outcome> {
  const { storage, options, files, tell } = run;
  const steps = new Map<string, 'copy' | 'link' | 'skip'>();
  let bytes = 0;
  await eachOf(files.values(), async (file) => {
    const { type, size } = await place(storage, file, options);
    steps.set(file.name, type);
    bytes += size;
    tell({ type, name: file.name, path: file.path });
    tell({ type: 'progress', stage: 'copying', done: steps.size, total: files.size, bytes });
  });
  const variants = await compressFiles(run, desk, root, await originalsIn(run));
  return {
    stepOf: (name) => steps.get(name) ?? 'skip',
    hashed: [],
    missing: [],
    warnings: [],
    bytes,
    compressed: variants.report,
    published: false,
    isCollected: (name) => files.has(name) || variants.names.has(name) || isOwn(name),
  };
}

/** What may be compressed: no links, whose content may change any time. A copy's size and time tell of it. */
async function originalsIn({ storage, settings, options, files }: Run): Promise<Original[]> {
  if (settings.compress.length === 0 || options.link) return [];
  const originals: Original[] = [];
  await eachOf(files.keys(), async (name) => {
    const found = await storage.stat(name);
    if (found === undefined) return;
    originals.push({ names: [name], key: `${found.size}.${found.mtimeMs}`, size: found.size });
  });
  return originals.sort((a, b) => compareNames(a.names[0] ?? '', b.names[0] ?? ''));
}

/** Puts one file in its place, unless it is there as it should be. */
async function place(
  storage: Storage,
  file: FoundFile,
  { link: linking = false, dryRun = false, clear = false }: CollectOptions,
): Promise<{ type: 'copy' | 'link' | 'skip'; size: number }> {
  try {
    // What stands in the way goes first: behind a link in a folder's place, files look unmodified.
    if (clear && !dryRun) await removeObstacles(storage, file.name);
    const target = linking ? storage.path?.(file.name) : undefined;
    const done =
      target === undefined ? await isUnmodified(storage, file) : await linksTo(target, file.path);
    const { size } = await stat(file.path);
    if (done) return { type: 'skip', size };
    if (!dryRun) await (target === undefined ? copy(storage, file) : link(target, file.path));
    return { type: target === undefined ? 'copy' : 'link', size };
  } catch (cause) {
    throw collectFault(file, cause);
  }
}
