import { statSync } from 'node:fs';
import type { FoundFile } from '../finder.js';
import type { Item } from './file.js';
import { languageOf } from './language.js';
import type { HashingRules } from './rules.js';

import { type Known, linkPrint, type Print, printAt, sourcePrintOf } from './state.js';
import type { Former } from './workshop.js';

/** A file, and what is there of it; absent where nothing is to be done. */
export interface Inspected {
  readonly item: Item;
  readonly former?: Former;
}

/** Looks whether a file is what it was at the last run, and its copies what they were. */
export function inspect(
  { name, path }: FoundFile,
  known: Known | undefined,
  root: string | undefined,
  rules: HashingRules,
): Inspected {
  const prehashed = rules.isPrehashed(name);
  const scanned = !prehashed && languageOf(name) !== undefined;
  if (root === undefined || known === undefined) {
    return { item: unknown(name, path, scanned), former: NOTHING };
  }
  const keep = prehashed || rules.keeps(name);
  const former = formerOf(name, path, known, root, rules.link && !prehashed);
  const isSame =
    former.hashed !== '' &&
    (former.plain !== '' || !keep) &&
    known.scanned === scanned &&
    prehashed === (known.hashedName === name) &&
    known.source === sourcePrintOf(statSync(path, { bigint: true }));
  if (!isSame) return { item: unknown(name, path, scanned), former };
  return { item: unchanged(name, path, known, keep) };
}

// Both give an object all its members at once, in one order: an engine keeps one shape for all of
// them then, and not one for each, which would take as much memory as what is in them.

function unknown(name: string, path: string, scanned: boolean): Item {
  return {
    name,
    path,
    written: false,
    source: '',
    scanned,
    references: NONE,
    fault: undefined,
    basis: '',
    hashedName: '',
    hashed: '',
    size: 0,
    plain: '',
    staged: undefined,
  };
}

function unchanged(name: string, path: string, known: Known, keep: boolean): Item {
  return {
    name,
    path,
    written: false,
    source: known.source,
    scanned: known.scanned,
    references: known.references,
    fault: known.fault,
    basis: known.basis,
    hashedName: known.hashedName,
    hashed: known.hashed,
    size: known.size,
    plain: keep ? known.plain : '',
    staged: undefined,
  };
}

const NONE: Item['references'] = [];

/** What is still there, as it was left. */
function formerOf(
  name: string,
  path: string,
  { hashedName, hashed, plain }: Known,
  root: string,
  link: boolean,
): Former {
  const there = still(`${root}/${hashedName}`, hashed);
  if (link) return { hashedName, hashed: there, plain: still(`${root}/${name}`, linkPrint(path)) };
  const copy = plain.startsWith(linkPrint('')) ? '' : plain;
  return { hashedName, hashed: there, plain: still(`${root}/${name}`, copy) };
}

const NOTHING: Former = { hashedName: '', hashed: '', plain: '' };

function still(path: string, print: Print): Print {
  return print !== '' && printAt(path) === print ? print : '';
}
