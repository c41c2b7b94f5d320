import { compareNames } from '../names.js';
import type { Item } from './file.js';
import { connectedGroups } from './graph.js';
import { type MissingReference, missingReporter } from './missing.js';
import { referenceResolver } from './references.js';
import type { HashingRules } from './rules.js';
import type { FoundReference } from './scan.js';

/** A reference that is followed: the byte at which the hash of its target goes. */
export interface Link {
  readonly at: number;
  readonly target: Item;
  /** Whether it leads into the same cycle. */
  readonly isInside: boolean;
}

/** A file that refers to others, or the files of a cycle in the order of their names. */
export interface LinkedGroup {
  readonly members: readonly { readonly item: Item; readonly links: readonly Link[] }[];
  readonly isCycle: boolean;
}

export interface LinkedFiles {
  /** Each level points to levels before it, and to files that refer to nothing. */
  readonly levels: readonly (readonly LinkedGroup[])[];
  readonly missing: readonly MissingReference[];
}

/** Finds out what each reference leads to, and in which order files can be rewritten. */
export function linkFiles(items: ReadonlyMap<string, Item>, rules: HashingRules): LinkedFiles {
  const resolve = referenceResolver(rules.staticUrl);
  const report = missingReporter(() => items.keys());
  const folders = foldersOf(items);
  const missing: MissingReference[] = [];

  function follow(from: string, reference: FoundReference): [at: number, target: Item][] {
    const [value, at, , , kind] = reference;
    const target = resolve(value, kind, from);
    if (target === 'elsewhere') return [];
    const name = target === 'outside' ? undefined : target.name;
    if (rules.isIgnored(from, name ?? value)) return [];
    const item = name === undefined ? undefined : items.get(name);
    if (item !== undefined) return rules.isPrehashed(item.name) ? [] : [[at, item]];
    // A URL may be a folder's; a folder is no module.
    if (name === undefined || kind === 'specifier' || !folders().has(name)) {
      missing.push(report(from, reference, name));
    }
    return [];
  }

  const referrers = [...items.values()].filter(({ references }) => references.length > 0);
  const links = referrers.map(({ name, references }) =>
    references.flatMap((reference) => follow(name, reference)),
  );
  return { levels: levelsOf(referrers, links), missing };
}

/** Every folder that a file lies in, once it is asked for. */
function foldersOf(items: ReadonlyMap<string, Item>): () => ReadonlySet<string> {
  let folders: Set<string> | undefined;
  return () => {
    if (folders !== undefined) return folders;
    folders = new Set();
    for (const name of items.keys()) {
      for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
        const folder = name.slice(0, at);
        if (folders.has(folder)) break;
        folders.add(folder);
      }
    }
    return folders;
  };
}

function levelsOf(
  referrers: readonly Item[],
  links: readonly (readonly [at: number, target: Item][])[],
): LinkedGroup[][] {
  const indices = new Map(referrers.map((item, index) => [item, index]));
  const targets = links.map((list) => list.flatMap(([, target]) => indices.get(target) ?? []));
  const levels: LinkedGroup[][] = [];
  const levelOf = new Int32Array(referrers.length);
  for (const group of connectedGroups(targets)) {
    const inside = new Set(group.map((index) => referrers[index]));
    let level = 0;
    for (const target of group.flatMap((index) => targets[index] ?? [])) {
      if (!inside.has(referrers[target])) level = Math.max(level, (levelOf[target] ?? 0) + 1);
    }
    for (const index of group) levelOf[index] = level;
    const members = group.map((index) => ({
      item: referrers[index] as Item,
      links: (links[index] ?? []).map(([at, target]) => ({
        at,
        target,
        isInside: inside.has(target),
      })),
    }));
    members.sort((a, b) => compareNames(a.item.name, b.item.name));
    const isCycle = members.some((member) => member.links.some(({ isInside }) => isInside));
    const sameLevel = levels[level] ?? [];
    levels[level] = sameLevel;
    sameLevel.push({ members, isCycle });
  }
  return levels;
}
