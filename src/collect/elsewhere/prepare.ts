import { CODINGS, SUFFIXES } from '../../codings.js';
import { takenBy } from '../compress.js';
import type { Desk } from '../desk.js';
import type { Run } from '../run.js';
import type { Content } from './content.js';
import { compressBeside, encodeInPlace, type Forms, isWorthTrying } from './forms.js';
import { type DeployRecord, NO_RECORD } from './record.js';
import { lookInto, type Shelf } from './shelf.js';

/** What there is to do in a storage. */
export interface Prepared {
  readonly toSend: readonly Content[];
  readonly forms: Forms;
  /** Names of compressed forms whose content is gone. */
  readonly outdated: readonly string[];
  /** Whether something is counted on that no manifest vouches for. */
  readonly isCountedOn: boolean;
}

/**
 * Finds out what is missing in the storage, and compresses it.
 *
 * @param wanted which contents are to have compressed forms beside them
 * @param record what the last manifest says is there
 * @param manifestName the name of that manifest, where the same storage has it
 */
export async function prepare(
  run: Run,
  desk: Desk,
  contents: readonly Content[],
  wanted: readonly Content[],
  record: DeployRecord = NO_RECORD,
  manifestName?: string,
): Promise<Prepared> {
  const { storage, options } = run;
  const isEncoded = (content: Content) => storage.encoding !== undefined && isWorthTrying(content);
  const shelf = await lookInto(storage, contents, {
    manifestName,
    isVouchedFor: record.vouchesFor,
    witness: record.witness,
    isEncoded,
    verify: options.verify === true,
  });
  const missing = contents.filter((content) => !shelf.has(content));
  const encoded = await encodeInPlace(run, desk, missing);
  const beside = storage.encoding === undefined ? wanted : [];
  const forms = await compressBeside(run, desk, beside, record, shelf);
  const ready = [...forms.made, ...encoded];
  const toSend = ready.filter((content) => !shelf.holds(content));
  const outdated = outdatedForms(run, contents, toSend, forms, shelf);
  const isCountedOn = shelf.isCountedOn || forms.isCountedOn || toSend.length < ready.length;
  return { toSend, forms, outdated, isCountedOn };
}

/**
 * Compressed forms of what plain names held before: whoever serves them would serve the old content. A
 * project that compresses nothing leaves those of what does not change alone, for they are others'.
 */
function outdatedForms(
  { settings, files }: Run,
  contents: readonly Content[],
  toSend: readonly Content[],
  { names }: Forms,
  shelf: Shelf,
): string[] {
  const isTaken = takenBy(files);
  const sent = new Set(toSend.map(({ name }) => name));
  const isOurs = ({ name }: Content) => settings.compress.length > 0 || sent.has(name);
  return contents
    .filter((content) => !content.isNamedByContent && isOurs(content))
    .flatMap(({ name }) => CODINGS.map((coding) => name + SUFFIXES[coding]))
    .filter((form) => !names.has(form) && !isTaken(form) && shelf.sizeOf(form) !== undefined);
}
