import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CODINGS, type Coding, SUFFIXES } from '../codings.js';
import { systemCode } from '../errors.js';
import {
  codingsOf,
  compressAll,
  isWorthTrying,
  type Job,
  type Original,
  type Sizes,
  takenBy,
} from './compress.js';
import type { Desk } from './desk.js';
import type { CompressionReport, Run } from './run.js';

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
/**
 * Compresses what is worth it: each content once, whatever its names, the largest first, on all
 * processors. What was compressed at the last run is not touched.
 */
export async function compressFiles(
  run: Run,
  desk: Desk,
  root: string,
  originals: readonly Original[],
): Promise<Variants> {
  const isWanted = run.settings.compress.length > 0;
  return compressHere(run, desk, root, isWanted ? originals.filter(isWorthTrying) : []);
}

const NONE: Variants = {
  sizes: new Map(),
  names: new Set(),
  report: { files: 0, made: 0, saved: 0 },
  isSame: true,
};

async function compressHere(
  run: Run,
  desk: Desk,
  root: string,
  originals: readonly Original[],
): Promise<Variants> {
  const memory = desk.recall(MEMORY);
  const known = parseKnown(memory);
  // Otherwise compressed forms that lie here are not ours.
  if (originals.length === 0 && known.size === 0) return NONE;
  const exists = existsUnder(root);
  const isTaken = takenBy(run.files);
  const codingsFor = codingsOf(run.settings.compress, isTaken);
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
  await compressAll(run, desk, root, jobs, (job, result) => {
    Object.assign(sizes.get(job.names[0] ?? '') ?? {}, result.sizes);
  });
  for (const variant of outdated(run, sizes, isTaken, exists)) rmSync(join(root, variant));
  // Without jobs, every size is a known one; as many as are known, and they are the same.
  const isSame = jobs.length === 0 && countOf(rows) === countOf(known.values());
  if (!isSame) desk.remember(MEMORY, [serialiseKnown(rows)]);
  return variantsOf(sizes, originals, jobs, isSame);
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
