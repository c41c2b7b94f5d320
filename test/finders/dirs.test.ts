import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dirsFinder } from '../../src/finders/dirs.js';
import { finderContract } from '../contracts/finder.js';
import { project } from '../project.js';
import { attached, listed, listedNames } from './attached.js';

const tree = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]));

finderContract('dirsFinder', (names) => attached(dirsFinder(), { dirs: [project(tree(names))] }));

finderContract(
  'dirsFinder with a prefix',
  (names) => {
    return attached(dirsFinder(), { dirs: [{ prefix: 'v/ü', dir: project(tree(names)) }] });
  },
  'v/ü/',
);

describe('folders', () => {
  test('are looked in one after the other, and their files listed so', async () => {
    const [one, two] = [project(tree(['a', 'b'])), project(tree(['a', 'c']))];
    const finder = attached(dirsFinder(), { dirs: [one, two] });
    expect(finder.find('a').map(({ path }) => path)).toEqual([join(one, 'a'), join(two, 'a')]);
    expect((await listed(finder)).map(({ path }) => path)).toEqual([
      ...[join(one, 'a'), join(one, 'b')],
      ...[join(two, 'a'), join(two, 'c')],
    ]);
    expect(finder.locations?.()).toEqual([one, two]);
  });

  test('that are named twice are looked in once, under another prefix again', async () => {
    const dir = project(tree(['a']));
    const dirs = [dir, join(dir, '..', dir.split(/[\\/]/).at(-1) ?? ''), { prefix: 'v', dir }];
    const finder = attached(dirsFinder(), { dirs });
    expect(finder.locations?.()).toEqual([dir, dir]);
    expect(await listedNames(finder)).toEqual(['a', 'v/a']);
  });

  test('under one name with different prefixes all count', () => {
    const [one, two] = [project(tree(['x/a'])), project(tree(['a']))];
    const finder = attached(dirsFinder(), { dirs: [one, { prefix: 'x', dir: two }] });
    expect(finder.find('x/a').map(({ path, inner }) => [path, inner])).toEqual([
      [join(one, 'x', 'a'), 'x/a'],
      [join(two, 'a'), 'a'],
    ]);
  });

  test('that are files, or not there, or under a file, have nothing, and are warned of', async () => {
    const dir = project(tree(['file', 'a/b']));
    const dirs = ['file', 'file/below', 'gone', 'a'].map((name) => join(dir, name));
    if (process.platform !== 'win32') {
      symlinkSync('loop', join(dir, 'loop'));
      dirs.push(join(dir, 'loop'));
    }
    const finder = attached(dirsFinder(), { dirs });
    expect(finder.find('b')).toHaveLength(1);
    expect(finder.find('gone')).toEqual([]);
    expect(await listedNames(finder)).toEqual(['b']);
    const hint = 'Make it, or take it out of dirs.';
    const problem = { id: 'staticfiles.W004', level: 'warning', hint };
    expect(finder.check?.().slice(0, 3)).toEqual([
      { ...problem, message: `${join(dir, 'file')} in dirs is no folder.` },
      { ...problem, message: `The folder ${join(dir, 'file', 'below')} in dirs does not exist.` },
      { ...problem, message: `The folder ${join(dir, 'gone')} in dirs does not exist.` },
    ]);
    expect(finder.check?.()).toHaveLength(dirs.length - 1);
  });
});

describe('a prefix', () => {
  const finder = () =>
    attached(dirsFinder(), { dirs: [{ prefix: 'vendor', dir: project(tree(['a.css'])) }] });

  test.each([
    'a.css',
    'vendora.css',
    'vendorXa.css',
    'vendor',
    'vendor/',
    'Vendor/a.css',
    'vendor/vendor/a.css',
  ])('is part of the name: %s is none', (name) => {
    expect(finder().find(name)).toEqual([]);
  });

  test('is not what ignore patterns see, as in Django', async () => {
    expect(await listedNames(finder(), ['vendor', 'vendor/*'])).toEqual(['vendor/a.css']);
  });
});

test('alone it has no folders', async () => {
  expect(dirsFinder().locations?.()).toEqual([]);
  expect(dirsFinder().check?.()).toEqual([]);
  expect(await listedNames(dirsFinder())).toEqual([]);
});
