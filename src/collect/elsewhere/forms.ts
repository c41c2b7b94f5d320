import { type Coding, SUFFIXES } from '../../codings.js';
import { isCompressible } from '../../media-types.js';
import { codingsOf, compressAll, type Job, type Sizes, takenBy } from '../compress.js';
import type { Desk } from '../desk.js';
import type { CompressionReport, Run } from '../run.js';
import { contentOfPrint, contentPrint } from '../state.js';
import type { Content } from './content.js';
import type { DeployRecord } from './record.js';
import type { Shelf } from './shelf.js';

/** The compressed forms of what is collected, files of their own beside it. */
export interface Forms {
  /** Those that were made now. */
  readonly made: readonly Content[];
  /** The names of those that there may be besides: in a dry run, where nobody tries what gets smaller. */
  readonly possible: readonly string[];
  /** The names of all. */
  readonly names: ReadonlySet<string>;
  /** Of each content that was tried, by its name. */
  readonly sizes: ReadonlyMap<string, Sizes>;
  /** Whether one is counted on that no manifest vouches for. */
  readonly isCountedOn: boolean;
  readonly report: CompressionReport;
}

/** Whether it may get smaller. */
export function isWorthTrying({ name, size }: Content): boolean {
  return size > 0 && isCompressible(name);
}

/**
 * Compresses contents, but for those whose forms are known: the last manifest tells of them, or the
 * storage has them, under names that change with the content.
 */
export async function compressBeside(
  run: Run,
  desk: Desk,
  contents: readonly Content[],
  record: DeployRecord,
  shelf: Shelf,
): Promise<Forms> {
  const isDry = run.options.dryRun === true;
  const codingsFor = codingsOf(run.settings.compress, takenBy(run.files));
  const sizes = new Map<string, Partial<{ [C in Coding]: number }>>();
  const wanted: Wanted[] = [];
  let isCountedOn = false;
  for (const content of contents.filter(isWorthTrying)) {
    const own = knownSizes(content, codingsFor([content.name]), record, shelf);
    isCountedOn ||= Object.keys(own).length > 0 && !record.vouchesFor(content);
    sizes.set(content.name, own);
    const codings = codingsFor([content.name]).filter((coding) => own[coding] === undefined);
    if (codings.length > 0) wanted.push({ content, codings });
  }
  const made = isDry ? [] : await encodeAll(run, desk, wanted);
  const possible = isDry ? wanted.flatMap(namesWanted) : [];
  for (const { content, codings, forms } of made) {
    for (const coding of codings) {
      Object.assign(sizes.get(content.name) ?? {}, { [coding]: forms.get(coding)?.size ?? 0 });
    }
  }
  return {
    made: made.flatMap(({ content, forms }) =>
      [...forms].map(([coding, form]) => ({ ...form, name: content.name + SUFFIXES[coding] })),
    ),
    possible,
    names: new Set([...namesOf(sizes), ...possible]),
    sizes,
    isCountedOn,
    report: reportOf(contents, sizes, wanted),
  };
}

/**
 * Contents in the coding that the storage wants them in, where that makes them smaller; the others as
 * they are.
 */
export async function encodeInPlace(
  run: Run,
  desk: Desk,
  contents: readonly Content[],
): Promise<readonly Content[]> {
  const coding = run.storage.encoding;
  if (coding === undefined || run.options.dryRun) return contents;
  const wanted = contents
    .filter(isWorthTrying)
    .map((content) => ({ content, codings: [coding] as const }));
  const made = await encodeAll(run, desk, wanted);
  const encoded = new Map(made.map(({ content, forms }) => [content, forms.get(coding)]));
  return contents.map((content) => encoded.get(content) ?? content);
}

/** The sizes of forms that need not be made; 0 where one is not worth its place. */
function knownSizes(
  content: Content,
  codings: readonly Coding[],
  record: DeployRecord,
  shelf: Shelf,
) {
  const told = record.formsOf(content);
  const own: Partial<{ [C in Coding]: number }> = {};
  for (const coding of codings) {
    const found = shelf.sizeOf(content.name + SUFFIXES[coding]);
    const size = told?.[coding];
    const isThere = size === 0 || (!shelf.isWhole && found === undefined) || size === found;
    if (size !== undefined && isThere) own[coding] = size;
    else if (size === undefined && found !== undefined && content.isNamedByContent) {
      own[coding] = found;
    }
  }
  return own;
}

interface Wanted {
  readonly content: Content;
  readonly codings: readonly Coding[];
}

interface Encoded extends Wanted {
  /** Those that are worth their place. */
  readonly forms: ReadonlyMap<Coding, Content>;
}

/** Encodes contents, those of the same bytes once. */
async function encodeAll(run: Run, desk: Desk, wanted: readonly Wanted[]): Promise<Encoded[]> {
  const groups = new Map<string, Wanted[]>();
  for (const one of wanted) {
    const key = `${one.content.md5} ${one.codings}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const encoded: Encoded[] = [];
  const members = new Map<unknown, readonly Wanted[]>();
  const jobs = [...groups.values()].map((group): Job => {
    const { content, codings } = group[0] as Wanted;
    const { from: path, size, md5 } = content;
    const names = group.map((one) => one.content.name);
    const job = { names, codings, size, from: { path, print: contentPrint(size, md5) } };
    members.set(job, group);
    return job;
  });
  await compressAll(run, desk, undefined, jobs, (job, { staged = {} }) => {
    for (const { content, codings } of members.get(job) ?? []) {
      const forms = new Map<Coding, Content>();
      for (const coding of codings) {
        const form = staged[coding];
        if (form === undefined) continue;
        const { path: from, print } = form;
        forms.set(coding, { ...content, from, ...contentOfPrint(print), coding });
      }
      encoded.push({ content, codings, forms });
    }
  });
  return encoded;
}

function namesWanted({ content, codings }: Wanted): string[] {
  return codings.map((coding) => content.name + SUFFIXES[coding]);
}

function namesOf(sizes: ReadonlyMap<string, Sizes>): string[] {
  return [...sizes].flatMap(([name, own]) =>
    Object.entries(own).flatMap(([coding, size]) =>
      size > 0 ? [name + SUFFIXES[coding as Coding]] : [],
    ),
  );
}

function reportOf(
  contents: readonly Content[],
  sizes: ReadonlyMap<string, Sizes>,
  wanted: readonly Wanted[],
): CompressionReport {
  const tried = new Set(wanted.map(({ content }) => content.name));
  let files = 0;
  let made = 0;
  let saved = 0;
  for (const { name, size } of contents) {
    const forms = Object.values(sizes.get(name) ?? {}).filter((bytes) => bytes > 0);
    if (forms.length === 0) continue;
    files++;
    if (tried.has(name)) made++; // others were not worth it
    saved += size - Math.min(...forms);
  }
  return { files, made, saved };
}
