import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { placer, removeFalseFolders } from '../../src/collect/place.js';
import { add, project } from '../project.js';
import { mount, tmpfs } from '../tmpfs.js';

const MODES = { fileMode: 0o644, directoryMode: undefined };

/** A placer over a folder `out`, and a file that waits in its scratch folder. */
function place(root: string, { clear = false } = {}) {
  const own = placer({ scratchFolder: join(root, 'scratch'), clear, ...MODES });
  const made = (content: string) => {
    const path = own.scratch();
    writeFileSync(path, content);
    return path;
  };
  return { ...own, made, out: (name: string) => join(root, 'out', name) };
}

const contentOf = (path: string) => readFileSync(path, 'utf8');

describe('a file is put into its place', () => {
  it('over what stood there, in folders that are made for it', () => {
    const root = project({ 'out/old.css': 'old' });
    const { move, made, out } = place(root);
    move(made('new'), out('old.css'));
    move(made('deep'), out('a/b/c.css'));
    expect([contentOf(out('old.css')), contentOf(out('a/b/c.css'))]).toEqual(['new', 'deep']);
  });

  it('over a symbolic link, and not through it', () => {
    const root = project({ 'out/x': '', 'elsewhere.css': 'mine' });
    symlinkSync(join(root, 'elsewhere.css'), join(root, 'out/a.css'));
    const { move, twin, made, out } = place(root);
    twin(made('new'), out('a.css'));
    move(made('newer'), out('a.css'));
    expect(lstatSync(out('a.css')).isFile()).toBe(true);
    expect(contentOf(join(root, 'elsewhere.css'))).toBe('mine');
  });

  it('as one file under two names', () => {
    const root = project({ 'out/b.css': 'old' });
    const { move, twin, made, out } = place(root);
    const from = made('new');
    expect([twin(from, out('a.css')), twin(from, out('b.css'))]).toEqual([true, true]);
    expect(move(from, out('c.css'))).toBe(true);
    const inodes = ['a.css', 'b.css', 'c.css'].map((name) => statSync(out(name)).ino);
    expect(new Set(inodes).size).toBe(1);
    expect(contentOf(out('b.css'))).toBe('new');
  });

  it('and nothing is left of what it was made from', () => {
    const root = project({ 'out/b.css': 'old' });
    const { move, twin, symlink, close, made, out } = place(root);
    const from = made('new');
    twin(from, out('b.css'));
    move(from, out('a.css'));
    symlink(join(root, 'x'), out('link'));
    close();
    expect(readdirSync(root)).toEqual(['out']);
    expect(readdirSync(join(root, 'out')).sort()).toEqual(['a.css', 'b.css', 'link']);
  });
});

describe('what stands in the way', () => {
  const ways: [string, (from: string, target: string, own: ReturnType<typeof place>) => void][] = [
    ['moved', (from, target, own) => void own.move(from, target)],
    ['linked', (from, target, own) => void own.twin(from, target)],
    ['a symbolic link', (from, target, own) => own.symlink(from, target)],
  ];

  it.each(ways)('is a folder in a file’s place, for what is %s', (_, put) => {
    const root = project({ 'out/a.css/deep/x': 'x', 'out/a.css/y': 'y' });
    const own = place(root);
    expect(() => put(own.made('new'), own.out('a.css'), own)).toThrow();
    expect(contentOf(own.out('a.css/deep/x'))).toBe('x');
    const clearing = place(root, { clear: true });
    put(clearing.made('new'), own.out('a.css'), clearing);
    expect(contentOf(own.out('a.css'))).toBe('new');
  });

  it.each(ways)('is a file in a folder’s place, for what is %s', (_, put) => {
    const root = project({ 'out/a': 'file' });
    const own = place(root);
    expect(() => put(own.made('new'), own.out('a/b/c.css'), own)).toThrow();
    expect(contentOf(own.out('a'))).toBe('file');
    const clearing = place(root, { clear: true });
    put(clearing.made('new'), own.out('a/b/c.css'), clearing);
    expect(contentOf(own.out('a/b/c.css'))).toBe('new');
  });

  it('goes only where it stands in the way', () => {
    const root = project({ 'out/a/b.css': 'b', 'out/a.css': 'a', file: 'x' });
    removeFalseFolders(join(root, 'out'), ['a/new.css', 'a.css', 'none/x.css']);
    expect(readdirSync(join(root, 'out')).sort()).toEqual(['a', 'a.css']);
    expect(contentOf(join(root, 'out/a/b.css'))).toBe('b');
  });

  it('is a link to a folder elsewhere, which goes, and not what it leads to', () => {
    const root = project({ 'elsewhere/x.css': 'x', 'out/y': '' });
    symlinkSync(join(root, 'elsewhere'), join(root, 'out/a'));
    symlinkSync('nowhere', join(root, 'out/b'));
    removeFalseFolders(join(root, 'out'), ['a/x.css', 'b/c/x.css']);
    expect(readdirSync(join(root, 'out'))).toEqual(['y']);
    expect(contentOf(join(root, 'elsewhere/x.css'))).toBe('x');
  });
});

describe.skipIf(!tmpfs.allowed)(`to another file system${tmpfs.why}`, () => {
  it('files are copied whole, with their permissions, and it says that they are other files', () => {
    const root = project({ 'out/x': '' });
    mount(join(root, 'out/far'));
    const { move, twin, close, made, out } = place(root);
    const from = made('new');
    chmodSync(from, 0o644);
    add(root, { 'out/far/old.css': 'old' });
    expect(twin(from, out('far/a.css'))).toBe(false);
    expect(twin(from, out('far/old.css'))).toBe(false);
    expect(twin(from, out('near.css'))).toBe(true);
    expect(move(from, out('far/deep/b.css'))).toBe(false);
    close();
    for (const name of ['far/a.css', 'far/old.css', 'near.css', 'far/deep/b.css']) {
      expect([name, contentOf(out(name))]).toEqual([name, 'new']);
      expect(statSync(out(name)).mode & 0o777).toBe(0o644);
    }
    expect(readdirSync(join(root, 'out/far')).sort()).toEqual(['a.css', 'deep', 'old.css']);
    expect(existsSync(join(root, 'scratch'))).toBe(false);
  });

  it('a copy that does not fit leaves nothing behind', () => {
    const root = project({ 'out/x': '' });
    mkdirSync(join(root, 'out'), { recursive: true });
    mount(join(root, 'out/far'), 'size=16k');
    const { twin, move, made, out } = place(root);
    const from = made('x'.repeat(50_000));
    expect(() => twin(from, out('far/a.css'))).toThrow('ENOSPC');
    expect(() => move(from, out('far/a.css'))).toThrow('ENOSPC');
    expect(readdirSync(join(root, 'out/far'))).toEqual([]);
    expect(contentOf(from)).toHaveLength(50_000);
  });
});
