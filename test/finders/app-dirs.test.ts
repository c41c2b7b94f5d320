import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appDirsFinder } from '../../src/finders/app-dirs.js';
import { finderContract } from '../contracts/finder.js';
import { project } from '../project.js';
import { attached, listedNames } from './attached.js';

finderContract('appDirsFinder', (names) => {
  const app = project(Object.fromEntries(names.map((name) => [`static/${name}`, name])));
  return attached(appDirsFinder(), { apps: [app] });
});

test('it looks in the folder static of each application, in their order', async () => {
  const [polls, blog] = [
    project({ 'static/a.css': '' }),
    project({ 'static/a.css': '', 'b.css': '' }),
  ];
  const finder = attached(appDirsFinder(), { apps: [polls, blog] });
  expect(finder.locations?.()).toEqual([join(polls, 'static'), join(blog, 'static')]);
  expect(finder.find('a.css').map(({ path }) => path)).toEqual([
    join(polls, 'static', 'a.css'),
    join(blog, 'static', 'a.css'),
  ]);
  expect(finder.find('b.css')).toEqual([]);
  expect(await listedNames(finder)).toEqual(['a.css', 'a.css']);
});

test('an application that is named twice is looked in once', async () => {
  const app = project({ 'static/a.css': '' });
  const finder = attached(appDirsFinder(), { apps: [app, join(app, 'static', '..')] });
  expect(finder.find('a.css')).toHaveLength(1);
  expect(await listedNames(finder)).toEqual(['a.css']);
});

test('an application without static files is none to warn of; one that is not there is', () => {
  const app = project({ 'file.txt': '' });
  const gone = [join(app, 'gone'), join(app, 'file.txt'), join(app, 'file.txt', 'below')];
  const finder = attached(appDirsFinder(), { apps: [app, ...gone] });
  expect(finder.find('a.css')).toEqual([]);
  expect(finder.check?.()).toEqual(
    gone.map((path) => ({
      id: 'staticfiles.W101',
      level: 'warning',
      message: `The application folder ${path} in apps does not exist.`,
      hint: "apps lists the folders that hold 'static', not 'static' itself.",
    })),
  );
});

test('alone it has no applications', async () => {
  expect(appDirsFinder().locations?.()).toEqual([]);
  expect(await listedNames(appDirsFinder())).toEqual([]);
});
