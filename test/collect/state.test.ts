import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  isSettled,
  type Known,
  printAt,
  readState,
  serialiseState,
} from '../../src/collect/state.js';
import { project } from '../project.js';

const known = (name: string, more: Partial<Known> = {}): Known & { name: string } => ({
  name,
  source: '1.2.3',
  scanned: false,
  references: [],
  fault: undefined,
  basis: '',
  hashedName: `${name}.0`,
  hashed: '4.5.6',
  size: 1,
  plain: '4.5.6',
  ...more,
});

const FILES = [
  known('a.css', {
    scanned: true,
    references: [['b.png', 4, 1, 5, 'url']],
    basis: 'b',
    plain: '7',
  }),
  known('b.png'),
  known('c.js', { scanned: true, fault: 'it is not UTF-8' }),
  known('d.png', { plain: '' }),
  known('"\n__proto__'),
];

describe('what is remembered', () => {
  const about = { manifest: 'm', rules: 'r', missing: [] };
  const text = [...serialiseState(FILES, about, () => true)].join('');

  it.each([
    ['in its order', FILES],
    ['in another', [...FILES].reverse()],
    ['with one that is new', [known('new.css'), ...FILES]],
  ])('is there again, asked for %s', (_, asked) => {
    const state = readState(text);
    expect({ manifest: state.manifest, rules: state.rules }).toEqual({ manifest: 'm', rules: 'r' });
    for (const { name, ...rest } of asked) {
      expect(state.get(name)).toEqual(name === 'new.css' ? undefined : rest);
    }
    expect(state.isExhausted()).toBe(true);
  });

  it('knows whether a file was not asked for', () => {
    for (const left of FILES) {
      const state = readState(text);
      for (const file of FILES) if (file !== left) state.get(file.name);
      expect(state.isExhausted(), left.name).toBe(false);
    }
    expect(readState('').isExhausted()).toBe(true);
  });

  it('does not vouch for a source that may change unseen', () => {
    const state = readState([...serialiseState(FILES, about, () => false)].join(''));
    expect(state.get('a.css')).toMatchObject({ source: '', hashed: '4.5.6' });
  });
});

describe('a source of a print', () => {
  const NOW = 1_700_000_000_000;
  const at = (nanoseconds: bigint) => `1.${BigInt(NOW) * 1_000_000n + nanoseconds}.2`;
  it.each<[string, bigint, boolean]>([
    ['long before', -60_000_000_000n, true],
    ['a moment before, by a clock of nanoseconds', -60_000_001n, true],
    ['right before', -10_000_001n, false],
    ['at the same time', 0n, false],
    ['in the future', 3_600_000_000_001n, false],
    ['a second before, by a clock of seconds', -1_000_000_000n, false],
    ['some seconds before, by a clock of seconds', -3_000_000_000n, true],
  ])('is settled or not when it was read: written %s', (_, offset, expected) => {
    expect(isSettled(at(offset), NOW)).toBe(expected);
  });
});

describe('printAt()', () => {
  it('changes with size, time and file, and knows links from files', () => {
    const root = project({ a: 'x', b: 'x' });
    const path = join(root, 'a');
    utimesSync(path, 1, 1);
    const first = printAt(path);
    utimesSync(path, 1, 2);
    expect(printAt(path)).not.toBe(first);
    utimesSync(path, 1, 1);
    expect(printAt(path)).toBe(first);
    writeFileSync(path, 'xx');
    utimesSync(path, 1, 1);
    expect(printAt(path)).not.toBe(first);
    utimesSync(join(root, 'b'), 1, 1);
    expect(printAt(join(root, 'b'))).not.toBe(first);
    symlinkSync('a', join(root, 'link'));
    mkdirSync(join(root, 'folder'));
    expect(printAt(join(root, 'link'))).toBe('-> a');
    for (const name of ['folder', 'gone', 'a/b', 'n'.repeat(300)]) {
      expect(printAt(join(root, name)), name).toBe('');
    }
  });
});
