import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { UnknownNameError } from '../../src/errors.js';
import { dirsFinder } from '../../src/finders/dirs.js';
import { createStaticFiles } from '../../src/static-files.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { project } from '../project.js';
import { thrownBy } from '../thrown.js';
import { attached } from './attached.js';

// Where no file system here ignores case, one that does stands in front of the real one: a path
// finds what it would find on macOS and Windows, and folders are listed as they are.
vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const spelled = (path: string): string => {
    const folder = dirname(path);
    if (folder === path || real.existsSync(path)) return path;
    const there = spelled(folder);
    const last = path.slice(folder.length).replace(/^[\\/]/, '');
    const same = (entry: string) => entry.toUpperCase() === last.toUpperCase();
    const entries = real.existsSync(there) ? real.readdirSync(there) : [];
    return join(there, entries.find(same) ?? last);
  };
  return {
    ...real,
    statSync: (path: string, options: object) => real.statSync(spelled(path), options),
    readdirSync: (path: string, options: object) => real.readdirSync(spelled(path), options),
  };
});

const real = await vi.importActual<typeof fs>('node:fs');

function ignoresCase(): boolean {
  const folder = real.mkdtempSync(join(tmpdir(), 'staticfiles-case-'));
  const found = real.existsSync(folder.replace('staticfiles-case-', 'STATICFILES-CASE-'));
  real.rmdirSync(folder);
  return found;
}

const how = ignoresCase() ? 'this one' : 'a simulated one: that of this machine does not';

describe(`on a file system that ignores case (${how})`, () => {
  const names = ['Img/Logo.png', 'Img/123', '456', 'Straße/Ünï.css', 'a.css', 'ALLCAPS'];
  const dir = () => project(Object.fromEntries(names.map((name) => [name, name])));

  test('the file system finds other spellings', () => {
    expect(fs.statSync(join(dir(), 'iMG/lOGO.PNG')).isFile()).toBe(true);
  });

  test.each(names)('%s is found', (name) => {
    expect(attached(dirsFinder(), { dirs: [dir()] }).find(name)).toHaveLength(1);
  });

  test.each([
    ...['img/Logo.png', 'Img/logo.png', 'IMG/LOGO.PNG', 'Img/LOGO.png', 'img/123', 'IMG/123'],
    ...['STRASSE/Ünï.css', 'straße/Ünï.css', 'Straße/ünï.css', 'Straße/Ünï.CSS', 'A.css', 'a.CSS'],
    ...['allcaps', 'Allcaps'],
  ])('%s is not: nor would it be in production', (name) => {
    const finder = attached(dirsFinder(), { dirs: [dir()] });
    expect(finder.find(name)).toEqual([]);
  });

  test('so a template fails, with the right spelling in the message', () => {
    const files = createStaticFiles({ dirs: [dir()], debug: true, storage: hashedStorage() });
    expect(files.staticUrl('Img/Logo.png')).toBe('/static/Img/Logo.png');
    const error = thrownBy(() => files.staticUrl('img/logo.png'));
    expect(error).toBeInstanceOf(UnknownNameError);
    expect(error).toMatchObject({ near: ['Img/Logo.png'] });
  });
});
