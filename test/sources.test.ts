import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NameError, type Problem, SetupError, UnknownNameError } from '../src/errors.js';
import type { Finder, FoundFile } from '../src/finder.js';
import { dirsFinder } from '../src/finders/dirs.js';
import { sourcesOf } from '../src/sources.js';
import { attached, listedNames } from './finders/attached.js';
import { project } from './project.js';
import { thrownBy } from './thrown.js';

/** A finder of files that are said to be there. */
function finderOf(paths: Record<string, string>, members: Partial<Finder> = {}): Finder {
  const files: FoundFile[] = Object.entries(paths).map(([name, path]) => ({ name, path }));
  return {
    find: (name) => files.filter((file) => file.name === name),
    list: ({ ignore }) => files.filter(({ name }) => !ignore(name)),
    ...members,
  };
}

async function* slowly(files: FoundFile[]) {
  for (const file of files) {
    await new Promise((resolve) => setTimeout(resolve));
    yield file;
  }
}

const problem: Problem = { id: 'x.W1', level: 'warning', message: 'Hm.' };

describe('all finders as one', () => {
  const sources = sourcesOf(
    [
      finderOf({ 'a.css': '/1/a.css' }, { locations: () => ['/1'], check: () => [problem] }),
      finderOf({ 'a.css': '/2/a.css', 'b.css': '/2/b.css', 'x~': '/2/x~' }),
      finderOf({}, { list: () => slowly([{ name: 'c.css', path: '/3/c.css' }]) }),
    ],
    ['*~'],
  );

  test('find every file of a name, the winner first', () => {
    expect(sources.find('a.css').map(({ path }) => path)).toEqual(['/1/a.css', '/2/a.css']);
    expect(sources.find('//x/..//b.css').map(({ path }) => path)).toEqual(['/2/b.css']);
    expect(sources.find('d.css')).toEqual([]);
    expect(() => sources.find('../d.css')).toThrow(NameError);
  });

  test('list every file, shadowed ones after their winners, those that come slowly too', async () => {
    expect(await listedNames(sources, ['*~'])).toEqual(['a.css', 'a.css', 'b.css', 'c.css']);
    expect(await listedNames(sources)).toHaveLength(5);
  });

  test('have the places and problems of those that have any', () => {
    expect(sources.locations()).toEqual(['/1']);
    expect(sources.check()).toEqual([problem]);
  });
});

describe('require', () => {
  test('passes for a name that collecting would find', () => {
    const { require } = sourcesOf([finderOf({ 'a/b.css': '/a/b.css' })], []);
    expect(require('a/b.css')).toBeUndefined();
  });

  test('throws for one that no finder finds, with where it looked and the nearest names', () => {
    const sources = sourcesOf(
      [
        finderOf({ 'css/base.css': '/1/css/base.css' }, { locations: () => ['/1'] }),
        finderOf({ 'bases.css': '/2/bases.css' }, { locations: () => ['/2'] }),
      ],
      [],
    );
    const error = thrownBy(() => sources.require('css/bse.css'));
    expect(error).toBeInstanceOf(UnknownNameError);
    expect(error).toMatchObject({
      message: "'css/bse.css' is found by no finder in /1, /2. Did you mean 'css/base.css'?",
      given: 'css/bse.css',
      near: ['css/base.css'],
    });
  });

  test('says so where there is nowhere to look', () => {
    expect(() => sourcesOf([], []).require('a.css')).toThrow(
      "'a.css' is found by no finder: there are no folders to look in.",
    );
  });

  test('throws for one that ignore leaves out, but not if another file of that name is not', () => {
    const inner = (path: string) => ({ name: 'drafts/a.css', path, inner: path });
    const finder = (...files: FoundFile[]) => finderOf({}, { find: () => files });
    const left = sourcesOf([finder(inner('drafts/a.css'))], ['drafts']);
    expect(() => left.require('drafts/a.css')).toThrow(
      "'drafts/a.css' is left out by the setting ignore (drafts), and will not be collected.",
    );
    const both = sourcesOf([finder(inner('drafts/a.css'), inner('a.css'))], ['drafts']);
    expect(both.require('drafts/a.css')).toBeUndefined();
  });

  test('suggests no name that is left out, and none that must be waited for', () => {
    const slow = finderOf({}, { list: () => slowly([{ name: 'b.css', path: '/b.css' }]) });
    const sources = sourcesOf([finderOf({ 'a.css~': '/a.css~' }), slow], ['*~']);
    expect(thrownBy(() => sources.require('a.css'))).toMatchObject({ near: [] });
  });

  test('a finder that fails while suggestions are sought hides nothing', () => {
    const failing = (list: Finder['list']) => sourcesOf([finderOf({}, { list })], []);
    const fault = () => {
      throw new SetupError('The folder /x cannot be read.');
    };
    for (const list of [fault, () => undefined as never]) {
      expect(thrownBy(() => failing(list).require('a.css'))).toMatchObject({
        message: "'a.css' is found by no finder: there are no folders to look in.",
      });
    }
  });

  test('sees files as they are now', () => {
    const dir = project({ 'a.css': '' });
    const sources = sourcesOf([attached(dirsFinder(), { dirs: [dir] })], []);
    expect(thrownBy(() => sources.require('A.css'))).toMatchObject({
      message: `'A.css' is found by no finder in ${join(dir)}. Did you mean 'a.css'?`,
    });
    expect(sources.require('a.css')).toBeUndefined();
  });
});
