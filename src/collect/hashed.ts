import { CollectError } from '../errors.js';
import type { FoundFile } from '../finder.js';
import { extensionAt } from '../names.js';
import { collectFault } from './fault.js';
import type { HashedFile, Item } from './file.js';
import { type Inspected, inspect } from './inspect.js';
import { type Link, type LinkedGroup, linkFiles } from './links.js';
import type { MissingReference } from './missing.js';
import type { HashingRules } from './rules.js';
import type { Progress, Run } from './run.js';
import { digestOf, type Known, type State } from './state.js';
import { TaskError, type Workforce } from './workforce.js';
import type { Former, Group, Intake, Referrer } from './workshop.js';

export interface HashedFiles {
  /** In the order of the plan. */
  readonly files: ReadonlyMap<string, HashedFile>;
  readonly missing: readonly MissingReference[];
  /** Whether there was nothing to do: every file is as the last run left it. */
  readonly isSame: boolean;
}

/** Who hears of the files while they are worked on. */
export interface Audience {
  /** One more file of so many was taken in, or rewritten, of so many bytes. */
  progress(task: 'take' | 'finish', done: number, total: number, bytes: number): void;
  /** These files are done. */
  done(files: readonly HashedFile[]): void;
}

/**
 * Gives every file its hashed name: takes in what changed, resolves the references of all, and
 * rewrites the files that have some, each after those that it points to. A file is read and hashed
 * once, and what the last run left is not touched.
 *
 * @param root the folder of the collected files; `undefined` where the storage is elsewhere
 * @param crew who does the work, for so many changed files
 * @throws {CollectError} where references are missing and must not be; nothing is rewritten then.
 */
export async function hashFiles(
  files: ReadonlyMap<string, FoundFile>,
  state: State,
  root: string | undefined,
  crew: (changed: number) => Workforce,
  rules: HashingRules,
  audience: Audience,
): Promise<HashedFiles> {
  const items = new Map<string, Item>();
  const formers = new Map<Item, Former>();
  for (const file of files.values()) {
    const { item, former } = inspected(file, state.get(file.name), root, rules);
    items.set(file.name, item);
    if (former !== undefined) formers.set(item, former);
  }
  // Every file as it was, and all by the same rules: so are the references.
  const isKnown = formers.size === 0 && state.isExhausted() && state.rules === rules.digest;
  if (isKnown) {
    if (rules.missingIsError) assertNoneMissing(state.missing);
    audience.done([...items.values()]);
    return { files: items, missing: state.missing, isSame: true };
  }
  const force = crew(formers.size);
  try {
    await takeAll(force, formers, rules, audience);
    audience.done([...items.values()].filter(({ references }) => references.length === 0));
    const { levels, missing } = linkFiles(items, rules);
    if (rules.missingIsError) assertNoneMissing(missing);
    let finished = 0;
    for (const level of levels) {
      const groups = level.flatMap((group) => stale(group, formers));
      finished += groups.length;
      await finishAll(force, groups, items, audience);
      audience.done(level.flatMap(({ members }) => members.map(({ item }) => item)));
    }
    assertNoCollision(items);
    const isSame = formers.size === 0 && finished === 0;
    return { files: items, missing, isSame };
  } catch (error) {
    throw error instanceof TaskError ? collectFault(fileOf(error.item), error) : error;
  } finally {
    await force.close();
  }
}

/** Tells how far the reading and the rewriting have come. */
export function progressOf(tell: Run['tell']): Audience['progress'] {
  const stages = { take: 'reading', finish: 'rewriting' } as const;
  let bytes = 0;
  let last: Progress['stage'] | undefined;
  return (task, done, total, size) => {
    const stage = stages[task];
    bytes = stage === last ? bytes + size : size;
    last = stage;
    tell({ type: 'progress', stage, done, total, bytes });
  };
}

function inspected(
  file: FoundFile,
  known: Known | undefined,
  root: string | undefined,
  rules: HashingRules,
): Inspected {
  try {
    return inspect(file, known, root, rules);
  } catch (cause) {
    throw collectFault(file, cause);
  }
}

async function takeAll(
  force: Workforce,
  formers: ReadonlyMap<Item, Former>,
  rules: HashingRules,
  audience: Audience,
): Promise<void> {
  let done = 0;
  const intakeOf = (item: Item): Intake => ({
    name: item.name,
    path: item.path,
    scan: item.scanned,
    keep: rules.keeps(item.name),
    prehashed: rules.isPrehashed(item.name),
    former: formers.get(item) as Former,
  });
  await force.each('take', [...formers.keys()], intakeOf, (item, taken) => {
    const { references, fault } = taken.scan;
    item.source = taken.source;
    item.size = taken.size;
    if (references.length > 0) item.references = references;
    item.fault = fault;
    item.hashedName = taken.hashedName;
    item.hashed = taken.hashed;
    // Two names of one file have one print: no need to keep it twice.
    item.plain = taken.plain === taken.hashed ? taken.hashed : taken.plain;
    item.written = taken.written;
    done++;
    audience.progress('take', done, formers.size, taken.size);
  });
}

async function finishAll(
  force: Workforce,
  groups: readonly Group[],
  items: ReadonlyMap<string, Item>,
  audience: Audience,
): Promise<void> {
  let done = 0;
  await force.each('finish', groups, itself, ({ members }, results) => {
    members.forEach(({ name }, index) => {
      const item = items.get(name) as Item;
      const finished = results[index] as (typeof results)[number];
      item.hashedName = finished.hashedName;
      item.hashed = finished.hashed;
      item.size = finished.size;
      item.staged = finished.staged;
      item.written ||= finished.written;
      audience.progress('finish', done + 1, groups.length, finished.size);
    });
    done++;
  });
}

const itself = (group: Group) => group;

/** The group as work to do, unless all of it is as it was when it was written. */
function stale({ members, isCycle }: LinkedGroup, formers: ReadonlyMap<Item, Former>): Group[] {
  const edits = members.map(({ links }) => links.map(editOf));
  const bases = edits.map((list) => (list.length > 0 ? digestOf(JSON.stringify(list)) : ''));
  const isStale = members.some(
    ({ item }, index) => item.hashedName === '' || item.basis !== bases[index],
  );
  if (!isStale) return [];
  const referrers = members.map(({ item }, index): Referrer => {
    item.basis = bases[index] as string;
    const { name, path, source, plain } = item;
    const former = { ...(formers.get(item) ?? item), plain };
    const { hashedName, hashed } = former;
    return {
      name,
      path,
      source,
      edits: edits[index] as Referrer['edits'],
      former: { hashedName, hashed, plain },
    };
  });
  return [{ members: referrers, isCycle }];
}

/** Where a hash goes, and which; the one that a cycle shares is not known yet. */
function editOf({ at, target, isInside }: Link): readonly [number, string] {
  return [at, isInside ? '' : hashIn(target)];
}

/** A file's hash, as its hashed name has it: behind a dot, before the extension. */
function hashIn({ name, hashedName }: Item): string {
  const at = extensionAt(name);
  return hashedName.slice(at + 1, at + hashedName.length - name.length);
}

/** Who takes part in an item of work; of a cycle, the first. */
function fileOf(item: unknown): { name: string; path: string } {
  const { members, ...file } = item as Group & Intake;
  return members?.[0] ?? file;
}

function assertNoneMissing(missing: readonly MissingReference[]): void {
  const errors = missing.filter(({ sourceMap }) => !sourceMap);
  if (errors.length === 0) return;
  const what = errors.length === 1 ? 'A reference leads' : `${errors.length} references lead`;
  throw new CollectError(
    `${what} to no file, and that is an error by references.missing or --strict:\n${errors
      .map(({ message }) => `  ${message}`)
      .join('\n')}`,
  );
}

/** A source that is named as another one's hashed name is: the second would replace the first. */
function assertNoCollision(items: ReadonlyMap<string, Item>): void {
  for (const item of items.values()) {
    const { name, path, hashedName } = item;
    const other = hashedName === name ? undefined : items.get(hashedName);
    if (other === undefined || (other.basis === '' && hashIn(other) === hashIn(item))) continue;
    throw new CollectError(
      `'${name}' (${path}) gets the hashed name '${hashedName}', which is the name of another source, ${other.path}. Leave one of them out (ignore), or keep names that are hashed already (prehashed).`,
    );
  }
}
