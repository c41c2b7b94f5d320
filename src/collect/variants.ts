import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CODINGS, type Coding, SUFFIXES } from '../codings.js';
import { systemCode } from '../errors.js';
import { isCompressible } from '../media-types.js';
import { crewOf } from './crew.js';
import type { Desk } from './desk.js';
import { collectFault } from './fault.js';
import { eachOf } from './flight.js';
import type { CompressionReport, Run } from './run.js';
import { TaskError } from './workforce.js';
import type { Compressed, Content } from './workshop.js';

/** A content in the storage that may be worth compressing. */
export interface Original {
  /** The names that have it; its compressed forms go beside each. */
  readonly names: readonly string[];
  /** Changes with the content. */
  readonly key: string;
  /** In bytes. */
  readonly size: number;
}

/** The sizes of a content's compressed forms in bytes, by coding; 0: not worth its place. */
export type Sizes = Readonly<Partial<Record<Coding, number>>>;

/** The compressed forms of what is collected. */
export interface Variants {
  /** By each name that an original has. */
  readonly sizes: ReadonlyMap<string, Sizes>;
  /** The names of the compressed forms in the storage. */
  readonly names: ReadonlySet<string>;
  readonly report: CompressionReport;
  /** Whether all of it is as the last run left it. */
  readonly isSame: boolean;
}

/** What is remembered of a name: which content its compressed forms are of, and their sizes. */
type Known = readonly [key: string, sizes: Sizes];

const MEMORY = 'variants.json';
/** A thread starts in the time in which so many bytes are compressed. */
const BYTES_A_THREAD = 20_000;

/**
 * Compresses what is worth it: each content once, whatever its names, the largest first, on all
 * processors. What was compressed at the last run is not touched.
 */
export async function compressFiles(
  run: Run,
  desk: Desk,
  originals: readonly Original[],
): Promise<Variants> {
  const { storage, settings, options } = run;
  const wanted = settings.compress.length === 0 ? [] : originals.filter(isWorthTrying);
  const root = storage.direct && storage.path?.('');
  if (root !== undefined) return compressHere(run, desk, wanted, root);
  return options.dryRun ? pretended(run, wanted) : compressElsewhere(run, desk, wanted);
}

const NONE: Variants = {
  sizes: new Map(),
  names: new Set(),
  report: { files: 0, made: 0, saved: 0 },
  isSame: true,
};

function isWorthTrying({ names, size }: Original): boolean {
  return size > 0 && isCompressible(names[0] ?? '');
}

/** In a dry run, where nobody tries what gets smaller: all may have every form. */
function pretended(run: Run, originals: readonly Original[]): Variants {
  const codingsFor = codingsOf(run, takenBy(run.files));
  const names = originals.flatMap((original) =>
    variantsOfNames(original.names, codingsFor(original.names)),
  );
  return { ...NONE, names: new Set(names) };
}

async function compressHere(
  run: Run,
  desk: Desk,
  originals: readonly Original[],
  root: string,
): Promise<Variants> {
  const memory = desk.recall(MEMORY);
  const known = parseKnown(memory);
  // Otherwise compressed forms that lie here are not ours.
  if (originals.length === 0 && known.size === 0) return NONE;
  const exists = existsUnder(root);
  const isTaken = takenBy(run.files);
  const codingsFor = codingsOf(run, isTaken);
  const isThere = (name: string, key: string, coding: Coding) => {
    const [knownKey, sizes] = known.get(name) ?? [];
    const size = knownKey === key ? sizes?.[coding] : undefined;
    return size !== undefined && (size === 0 || exists(name + SUFFIXES[coding]));
  };

  const sizes = new Map<string, Sizes>();
  const rows: Row[] = [];
  const jobs: Job[] = [];
  for (const { names, key, size } of originals) {
    const own: Partial<Record<Coding, number>> = {};
    const missing: Coding[] = [];
    for (const coding of codingsFor(names)) {
      const isKnown = names.every((name) => isThere(name, key, coding));
      own[coding] = isKnown ? (known.get(names[0] ?? '')?.[1][coding] ?? 0) : 0;
      if (!isKnown) missing.push(coding);
    }
    for (const name of names) {
      sizes.set(name, own);
      rows.push([name, key, own]);
    }
    if (missing.length > 0) jobs.push({ names, codings: missing, size });
  }
  if (run.options.dryRun) {
    const variants = variantsOf(sizes, originals, jobs, false);
    const made = jobs.flatMap(({ names, codings }) => variantsOfNames(names, codings));
    const report = { ...variants.report, made: jobs.length }; // nobody has tried which are worth it
    return { ...variants, report, names: new Set([...variants.names, ...made]) };
  }
  forget(desk, known, jobs);
  await perform(run, desk, root, jobs, async (job, result) => {
    Object.assign(sizes.get(job.names[0] ?? '') ?? {}, result.sizes);
  });
  for (const variant of outdated(run, sizes, isTaken, exists)) rmSync(join(root, variant));
  // Without jobs, every size is a known one; as many as are known, and they are the same.
  const isSame = jobs.length === 0 && countOf(rows) === countOf(known.values());
  if (!isSame) desk.remember(MEMORY, [serialiseKnown(rows)]);
  return variantsOf(sizes, originals, jobs, isSame);
}

/** A storage elsewhere is asked what it has; what was not worth its place is tried again. */
async function compressElsewhere(
  run: Run,
  desk: Desk,
  originals: readonly Original[],
): Promise<Variants> {
  const { storage, files } = run;
  const there = new Set<string>();
  for await (const name of storage.list()) there.add(name);

  async function sizeOf(name: string, coding: Coding): Promise<number | undefined> {
    const variant = name + SUFFIXES[coding];
    if (!there.has(variant)) return undefined;
    const found = await storage.stat(variant);
    // A source's own name does not change with its content: what was made of that, has its time.
    const isOfNow = !files.has(name) || found?.mtimeMs === (await storage.stat(name))?.mtimeMs;
    return isOfNow ? found?.size : undefined;
  }

  const isTaken = takenBy(run.files);
  const codingsFor = codingsOf(run, isTaken);
  const sizes = new Map<string, Sizes>();
  const jobs: Job[] = [];
  await eachOf(originals, async ({ names, size }) => {
    const own: Partial<Record<Coding, number>> = {};
    for (const name of names) sizes.set(name, own);
    const missing: Coding[] = [];
    for (const coding of codingsFor(names)) {
      const found = await Promise.all(names.map((name) => sizeOf(name, coding)));
      const isKnown = found.every((size) => size !== undefined);
      own[coding] = isKnown ? (found[0] ?? 0) : 0;
      if (!isKnown) missing.push(coding);
    }
    const body = missing.length > 0 ? await storage.read(names[0] ?? '') : undefined;
    if (body !== undefined) jobs.push({ names, codings: missing, body, size });
  });
  await perform(run, desk, undefined, jobs, async (job, result) => {
    Object.assign(sizes.get(job.names[0] ?? '') ?? {}, result.sizes);
    for (const name of job.names) {
      const mtimeMs = files.has(name) ? (await storage.stat(name))?.mtimeMs : undefined;
      for (const [coding, body] of Object.entries(result.bodies ?? {})) {
        const variant = name + SUFFIXES[coding as Coding];
        await storage.write(variant, body, mtimeMs === undefined ? {} : { mtimeMs });
      }
    }
  });
  for (const variant of outdated(run, sizes, isTaken, (name) => there.has(name))) {
    await storage.delete(variant);
  }
  return variantsOf(sizes, originals, jobs, false);
}

/** Compressed forms of what plain names held before: whoever serves them would serve the old content. */
function* outdated(
  { files }: Run,
  sizes: ReadonlyMap<string, Sizes>,
  isTaken: (name: string) => boolean,
  exists: (name: string) => boolean,
): Generator<string> {
  for (const name of files.keys()) {
    for (const coding of CODINGS) {
      const variant = name + SUFFIXES[coding];
      const isWanted = (sizes.get(name)?.[coding] ?? 0) > 0 || isTaken(variant);
      if (!isWanted && exists(variant)) yield variant;
    }
  }
}

function variantsOfNames(names: readonly string[], codings: readonly Coding[]): string[] {
  return names.flatMap((name) => codings.map((coding) => name + SUFFIXES[coding]));
}

function variantsOf(
  sizes: ReadonlyMap<string, Sizes>,
  originals: readonly Original[],
  jobs: readonly Job[],
  isSame: boolean,
): Variants {
  const names = new Set<string>();
  for (const [name, own] of sizes) {
    for (const coding of CODINGS) if (own[coding]) names.add(name + SUFFIXES[coding]);
  }
  const tried = new Set(jobs.map(({ names: [name] }) => name));
  let files = 0;
  let made = 0;
  let saved = 0;
  for (const original of originals) {
    const forms = Object.values(sizes.get(original.names[0] ?? '') ?? {}).filter(
      (size) => size > 0,
    );
    if (forms.length === 0) continue;
    files++;
    if (tried.has(original.names[0])) made++; // others were not worth it
    saved += original.size - Math.min(...forms);
  }
  return { sizes, names, report: { files, made, saved }, isSame };
}

interface Job extends Content {
  readonly size: number;
}

/** Has the jobs done, the largest first, so that no thread ends long after the others. */
async function perform(
  run: Run,
  desk: Desk,
  root: string | undefined,
  jobs: Job[],
  done: (job: Content, result: Compressed) => Promise<void>,
): Promise<void> {
  if (jobs.length === 0) return;
  jobs.sort((a, b) => b.size - a.size);
  const total = jobs.reduce((sum, { size }) => sum + size, 0);
  const threads = Math.min(run.threads.countFor(total / BYTES_A_THREAD), jobs.length);
  const force = crewOf(run, desk, root, threads);
  const waiting: Promise<void>[] = [];
  let count = 0;
  let bytes = 0;
  try {
    await force.each('compress', jobs, orderOf, (job, result) => {
      count++;
      bytes += job.size;
      run.tell({ type: 'progress', stage: 'compressing', done: count, total: jobs.length, bytes });
      waiting.push(done(job, result));
    });
    await Promise.all(waiting);
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    const [name = ''] = (error.item as Content).names;
    throw collectFault({ name, path: run.storage.path?.(name) ?? name }, error);
  } finally {
    await force.close();
  }
}

const orderOf = ({ names, codings, body }: Job): Content => ({ names, codings, body });

/**
 * The codings of a content; in one order, whatever the settings': the manifest has them so. Without
 * those whose place a source takes: `x.css.br` may be a file or a folder of its own; and
 * without those for which the name is too long.
 */
function codingsOf(
  { settings }: Run,
  isTaken: (name: string) => boolean,
): (names: readonly string[]) => Coding[] {
  const wanted = CODINGS.filter((coding) => settings.compress.includes(coding));
  return (names) =>
    wanted.filter((coding) =>
      names.every((name) => fits(name + SUFFIXES[coding]) && !isTaken(name + SUFFIXES[coding])),
    );
}

/** Whether the last part is as short as nearly all file systems want it: at most 255 bytes. */
function fits(name: string): boolean {
  return name.length < 80 || Buffer.byteLength(name.slice(name.lastIndexOf('/') + 1)) <= 255;
}

/** Whether a source takes the place of a name, as a file or as a folder. */
function takenBy(files: Run['files']): (name: string) => boolean {
  const folders = new Set<string>();
  for (const name of files.keys()) {
    for (const { 0: end, index } of name.matchAll(FORM_FOLDER)) {
      folders.add(name.slice(0, index + end.length));
    }
  }
  return (name) => files.has(name) || folders.has(name);
}

/** The end of a folder's name that is one of a compressed form. */
const FORM_FOLDER = /\.(?:br|gz|zst)(?=\/)/g;

/** Whether there is a file of a name, by a listing of its folder: many are asked for in each. */
function existsUnder(root: string): (name: string) => boolean {
  const folders = new Map<string, ReadonlySet<string>>();
  return (name) => {
    const slash = name.lastIndexOf('/');
    const folder = name.slice(0, Math.max(slash, 0));
    const names = folders.get(folder) ?? new Set(entriesOf(join(root, folder)));
    folders.set(folder, names);
    return names.has(name.slice(slash + 1));
  };
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/**
 * Forgets what is about to be overwritten: where this run is killed and the sources go back to what
 * they were, the next one must not take its compressed forms for those of before.
 */
function forget(desk: Desk, known: ReadonlyMap<string, Known>, jobs: readonly Job[]): void {
  const names = new Set(jobs.flatMap((job) => job.names));
  const rest = [...known].filter(([name]) => !names.has(name));
  if (rest.length === known.size) return;
  desk.remember(MEMORY, [serialiseKnown(rest.map(([name, own]) => [name, ...own]))]);
}

type Row = readonly [name: string, ...Known];

/** How many names there are, and sizes. */
function countOf(rows: Iterable<Row | Known>): number {
  let count = 0;
  for (const row of rows) count += 1 + Object.keys(row.at(-1) as Sizes).length;
  return count;
}

function serialiseKnown(rows: readonly Row[]): string {
  return `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`;
}

/** What the last run wrote down; what is damaged is as good as nothing. */
function parseKnown(text = '[]'): ReadonlyMap<string, Known> {
  try {
    const rows = JSON.parse(text) as Row[];
    return new Map(rows.map(([name, key, sizes]) => [name, [key, Object(sizes)]]));
  } catch {
    return new Map(); // all is compressed again then, and nothing is lost
  }
}
