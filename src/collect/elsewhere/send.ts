import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Storage, WriteOptions } from '../../storage.js';
import { changedMeanwhile, collectFault } from '../fault.js';
import { eachOf } from '../flight.js';
import type { Run, SendingReport } from '../run.js';
import type { Content } from './content.js';
import type { FieldRules } from './fields.js';

/**
 * Sends contents, as many at once as the storage takes. Those that change under their names go last:
 * whoever asks for them meanwhile sees the old ones as long as can be.
 *
 * @param possible names of files that nobody knows the size of yet, in a dry run
 */
export async function sendAll(
  { storage, options, tell }: Run,
  contents: readonly Content[],
  fields: FieldRules,
  possible: readonly string[],
): Promise<SendingReport> {
  const totalBytes = contents.reduce((sum, { size }) => sum + size, 0);
  let files = 0;
  let bytes = 0;
  const names: string[] = [];
  const isLast = ({ isNamedByContent }: Content) => !isNamedByContent;
  for (const late of [false, true]) {
    const batch = contents.filter((content) => isLast(content) === late);
    names.push(...batch.map(({ name }) => name));
    await eachOf(
      batch,
      async (content) => {
        const { name, size } = content;
        tell({ type: 'send', name, bytes: size });
        if (!options.dryRun) await send(storage, content, fields);
        files++;
        bytes += size;
        const done = { done: files, total: contents.length, bytes, totalBytes };
        tell({ type: 'progress', stage: 'sending', ...done });
      },
      storage.concurrency,
    );
  }
  for (const name of possible) tell({ type: 'send', name, bytes: undefined });
  return { files, bytes, names: [...names, ...possible] };
}

/** @throws {NameError} where the storage cannot have a file of such a name. */
export async function checkNames(storage: Storage, contents: readonly Content[]): Promise<void> {
  for (const { name } of contents) await storage.checkName?.(name);
}

async function send(storage: Storage, content: Content, fields: FieldRules): Promise<void> {
  const { name, from, size, md5, times, source } = content;
  const writing: WriteOptions = {
    md5,
    source: source.name,
    headers: fields.fieldsOf(content),
    mtimeMs: times?.mtimeMs,
  };
  try {
    const isLarge = size > SMALL && storage.writeFile !== undefined;
    if (isLarge) await storage.writeFile?.(name, from, writing);
    else await storage.write(name, await bodyOf(content), writing);
  } catch (cause) {
    throw collectFault(source, cause);
  }
}

/**
 * In bytes. So small a file, which was hashed just now and is in the system's cache, is read in less
 * time than it takes to ask for it and do something else meanwhile.
 */
const SMALL = 64 * 1024;

async function bodyOf({ from, size, md5 }: Content): Promise<Uint8Array> {
  const body = size > SMALL ? await readFile(from) : readFileSync(from);
  if (hash('md5', body) !== md5) throw changedMeanwhile();
  return body;
}
