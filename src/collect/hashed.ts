import { statSync } from 'node:fs';
import { CollectError } from '../errors.js';
import type { FoundFile } from '../finder.js';
import { extensionAt } from '../names.js';
import { collectFault } from './fault.js';
import type { HashedFile, Item } from './file.js';
import { type Link, type LinkedGroup, linkFiles } from './links.js';
import type { MissingReference } from './missing.js';
import type { HashingRules } from './rules.js';
import { isScanned } from './scan.js';
import {
  digestOf,
  type Known,
  linkPrint,
  type Print,
  printAt,
  printOf,
  type State,
} from './state.js';
import { TaskError, type Workforce } from './workforce.js';
import type { Former, Group, Intake, Referrer } from './workshop.js';

/** A file, and what is to be done where something about it is not known yet. */
interface Inspected {
  readonly item: Item;
  readonly intake?: Intake;
}

export interface HashedFiles {
  /** In the order of the plan. */
  readonly files: ReadonlyMap<string, HashedFile>;
  readonly missing: readonly MissingReference[];
}

/** Who hears of the files while they are worked on. */
export interface Audience {
  /** One more file of so many was taken in, or rewritten, of so many bytes. */
  progress(task: 'take' | 'finish', done: number, total: number, bytes: number): void;
  /** These files are done; what is to be written elsewhere is written before more are begun. */
  done(files: readonly Item[]): Promise<void>;
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
  crew: (items: number) => Workforce,
  rules: HashingRules,
  audience: Audience,
): Promise<HashedFiles> {
  const items = new Map<string, Item>();
  const changed: Intake[] = [];
  for (const file of files.values()) {
    const { item, intake } = await inspected(file, state.get(file.name), root, rules);
    items.set(file.name, item);
    if (intake !== undefined) changed.push(intake);
  }
  const force = crew(changed.length);
  try {
    const formers = new Map<string, Former>();
    let done = 0;
    await force.each('take', changed, ({ name, former }, { scan, ...taken }) => {
      const item = items.get(name) as Item;
      Object.assign(item, taken, { references: scan.references, fault: scan.fault });
      if (item.references.length > 0) formers.set(name, former);
      done++;
      audience.progress('take', done, changed.length, taken.size);
    });
    await audience.done([...items.values()].filter(({ references }) => references.length === 0));
    const { levels, missing } = linkFiles(items, rules);
    if (rules.missingIsError) assertNoneMissing(missing);
    const total = formers.size;
    done = 0;
    for (const level of levels) {
      const groups = level.flatMap((group) => stale(group, formers));
      await force.each('finish', groups, ({ members }, results) => {
        for (const [index, { name }] of members.entries()) {
          const item = items.get(name) as Item;
          const { written, ...finished } = results[index] as (typeof results)[number];
          Object.assign(item, finished, { written: item.written || written });
          done++;
          audience.progress('finish', done, Math.max(done, total), finished.size);
        }
      });
      await audience.done(level.flatMap(({ members }) => members.map(({ item }) => item)));
    }
    assertNoCollision(items);
    return { files: items, missing };
  } catch (error) {
    throw error instanceof TaskError ? await collectFault(fileOf(error.item), error) : error;
  } finally {
    await force.close();
  }
}

async function inspected(
  file: FoundFile,
  known: Known | undefined,
  root: string | undefined,
  rules: HashingRules,
): Promise<Inspected> {
  try {
    return inspect(file, known, root, rules);
  } catch (cause) {
    throw await collectFault(file, cause);
  }
}

/** What is known of a file, and what is to be done where that is not all, or not so any more. */
function inspect(
  { name, path }: FoundFile,
  known: Known | undefined,
  root: string | undefined,
  rules: HashingRules,
): Inspected {
  const prehashed = rules.isPrehashed(name);
  const scan = !prehashed && isScanned(name);
  const keep = prehashed || rules.keeps(name);
  const former = formerOf(name, path, known, root, rules.link && !prehashed);
  if (
    known !== undefined &&
    former.hashed !== '' &&
    (former.plain !== '' || !keep) &&
    known.scanned === scan &&
    prehashed === (known.hashedName === name) &&
    known.source === printOf(statSync(path, { bigint: true }))
  ) {
    return { item: { ...known, plain: keep ? former.plain : '', name, path, written: false } };
  }
  const item: Item = { ...UNKNOWN, name, path, scanned: scan };
  return { item, intake: { name, path, scan, keep, prehashed, former } };
}

const UNKNOWN = {
  source: '',
  references: [],
  fault: undefined,
  basis: '',
  hashedName: '',
  hashed: '',
  plain: '',
  size: 0,
  written: false,
} as const;

/** What is still there, as it was left. */
function formerOf(
  name: string,
  path: string,
  known: Known | undefined,
  root: string | undefined,
  link: boolean,
): Former {
  if (root === undefined || known === undefined) return NOTHING;
  const { hashedName, hashed, plain } = known;
  const wanted = link === plain.startsWith(linkPrint('')) ? plain : '';
  return {
    hashedName,
    hashed: still(`${root}/${hashedName}`, hashed),
    plain: still(`${root}/${name}`, link ? linkPrint(path) : wanted),
  };
}

const NOTHING: Former = { hashedName: '', hashed: '', plain: '' };

function still(path: string, print: Print): Print {
  return print !== '' && printAt(path) === print ? print : '';
}

/** The group as work to do, unless all of it is as it was when it was written. */
function stale({ members, isCycle }: LinkedGroup, formers: ReadonlyMap<string, Former>): Group[] {
  const edits = members.map(({ links }) => links.map(editOf));
  const bases = edits.map((list) => (list.length > 0 ? digestOf(JSON.stringify(list)) : ''));
  const isStale = members.some(
    ({ item }, index) => item.hashedName === '' || item.basis !== bases[index],
  );
  if (!isStale) return [];
  const referrers = members.map(({ item }, index): Referrer => {
    item.basis = bases[index] as string;
    const { name, path, source, plain } = item;
    const former = { ...(formers.get(name) ?? item), plain };
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
