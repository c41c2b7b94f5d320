import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Storage } from '../../storage.js';
import { type Desk, isOwn } from '../desk.js';
import { collectFault } from '../fault.js';
import { eachOf } from '../flight.js';
import { serialiseManifest } from '../publish.js';
import type { Outcome, Run } from '../run.js';
import { digestOf } from '../state.js';
import { removeAll } from '../write.js';
import { type Content, plainContent } from './content.js';
import { fieldRules } from './fields.js';
import { noteWriter, readArchive } from './generations.js';
import { prepare } from './prepare.js';
import { checkNames, sendAll } from './send.js';

/**
 * Collects files under their plain names into a storage elsewhere: what is there with the same size
 * and digest is left alone.
 */
export async function collectPlainElsewhere(run: Run, desk: Desk): Promise<Outcome> {
  const { storage, settings, options, files, tell } = run;
  const contents = await readAll(run);
  const { toSend, forms, outdated } = await prepare(run, desk, contents, contents);
  run.threads.close();
  await checkNames(storage, toSend);
  await storage.ready?.();
  if (toSend.length > 0 && !options.dryRun) await announce(storage, toSend);
  const fields = fieldRules(storage, settings, storage.url(''));
  // First: a run that ends between the two would leave them, and the next one find nothing to send.
  await removeAll(run, outdated);
  const sent = await sendAll(run, toSend, fields, forms.possible);
  const changed = new Set(toSend.map(({ source }) => source.name));
  for (const { name, path } of files.values()) {
    if (!changed.has(name)) tell({ type: 'skip', name, path });
  }
  return {
    stepOf: (name) => (changed.has(name) ? 'copy' : 'skip'),
    hashed: [],
    missing: [],
    warnings: fields.warnings(),
    bytes: contents.reduce((sum, { size }) => sum + size, 0),
    compressed: forms.report,
    sent,
    deleted: outdated,
    published: false,
    isCollected: (name) => files.has(name) || forms.names.has(name) || isOwn(name),
  };
}

/** Lets those know of it who collect under hashed names into the same storage. */
async function announce(storage: Storage, contents: readonly Content[]): Promise<void> {
  if (storage.hashing === undefined) return;
  const body = serialiseManifest(
    contents.map(({ name, size, md5 }) => ({ name, hashedName: name, size, checksum: md5 })),
    { codings: [], encoding: storage.encoding },
  );
  const archive = await readArchive(storage, storage.hashing.manifestName);
  await noteWriter(storage, archive, { body, digest: digestOf(body) });
}

/** Reads every source for its digest; in the order of the plan. */
async function readAll({ files, tell }: Run): Promise<Content[]> {
  const contents = new Map<string, Content>();
  let bytes = 0;
  await eachOf(files.values(), async (file) => {
    try {
      const { mtimeMs, ctimeMs } = await stat(file.path);
      const { size, md5 } = await md5Of(file.path);
      contents.set(file.name, {
        ...plainContent(file, { size, md5 }),
        times: { mtimeMs, ctimeMs },
      });
      bytes += size;
    } catch (cause) {
      throw collectFault(file, cause);
    }
    const done = { done: contents.size, total: files.size, bytes };
    tell({ type: 'progress', stage: 'reading', ...done });
  });
  return [...files.keys()].map((name) => contents.get(name) as Content);
}

async function md5Of(path: string): Promise<{ size: number; md5: string }> {
  const hash = createHash('md5');
  let size = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, md5: hash.digest('hex') };
}
