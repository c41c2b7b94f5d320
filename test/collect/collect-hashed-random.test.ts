import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Finder } from '../../src/finder.js';
import { createStaticFiles } from '../../src/static-files.js';
import type { Storage } from '../../src/storage.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { add, project } from '../project.js';
import { age, inBoth, storedIn, tree } from './hashed-site.js';
import { pick, type Random, randomNumbers, shuffled } from './random.js';

const NAMES = [
  ...['a.css', 'b.css', 'css/c.css', 'css/d.css', 'css/deep/e.css', 'm.js', 'js/n.js', 'js/o.mjs'],
  ...['p.png', 'img/q.png', 'img/ü r.svg', 'no-extension', '1', 'x.0.js', '__proto__.css'],
];

/** What a random file holds: references to other names, there or not, and text. */
function contentOf(random: Random, name: string): string {
  const target = () => {
    const path = posix.relative(posix.dirname(name), pick(random, [...NAMES, 'gone.png']));
    const url = encodeURI(path.startsWith('.') ? path : `./${path}`);
    return random(5) === 0 ? url : `${url}${pick(random, ['', '', '?v=1', '#ü'])}`;
  };
  const parts: string[] = [];
  for (let count = random(4); count > 0; count--) {
    if (name.endsWith('.css')) {
      parts.push(pick(random, [`@import "${target()}";`, `a{b:url(${target()})}`, '/* ü */']));
    } else if (/\.m?js$/.test(name)) {
      parts.push(
        pick(random, [`import '${target()}';`, `new URL('${target()}', import.meta.url);`]),
      );
    } else parts.push(`${random(3)}`);
  }
  parts.push(`/* ${'text '.repeat(random(60))}${random(4)} */`);
  // A file that cannot be read is one too.
  return random(20) === 0 ? 'import {' : parts.join('\n');
}

/** Lists a folder in an order of its own. */
function anyOrder(random: Random, folder: string): Finder {
  const path = (name: string) => join(folder, name);
  return {
    find: (name) => (existsSync(path(name)) ? [{ name, path: path(name) }] : []),
    list: () => shuffled(random, filesIn(folder)).map((name) => ({ name, path: path(name) })),
  };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function collector(random: Random, root: string, staticRoot: string, settings: object) {
  return createStaticFiles({
    baseDir: root,
    finders: [anyOrder(random, join(root, 'src'))],
    staticRoot,
    prehashed: '*.0.js',
    ...settings,
  });
}

/** Changes something among the sources, the outputs or what is remembered. Answers what, for a failure. */
function change(random: Random, root: string): string {
  const src = (name: string) => join(root, 'src', name);
  const name = pick(random, NAMES);
  const other = pick(random, NAMES);
  const isThere = existsSync(src(name));
  const outputs = filesIn(join(root, 'out'));
  const output = outputs.length === 0 ? undefined : join(root, 'out', pick(random, outputs));
  switch (random(9)) {
    case 0:
      if (isThere) rmSync(src(name));
      return `drop ${name}`;
    case 1:
      if (isThere && existsSync(src(other))) renameSync(src(name), src(other));
      return `rename ${name} to ${other}`;
    case 2:
      if (isThere) age(src(name));
      return `touch ${name}`;
    case 3:
      if (isThere) writeFileSync(src(name), readFileSync(src(name)));
      return `write ${name} as it is`;
    case 4:
      if (output !== undefined && !output.endsWith('staticfiles.json')) rmSync(output);
      return `lose ${output}`;
    case 5:
      if (random(4) === 0) rmSync(join(root, 'out/.staticfiles'), { recursive: true, force: true });
      return 'forget all, one time in four';
    default:
      add(join(root, 'src'), { [name]: contentOf(random, name) });
      if (random(2) === 0) age(src(name));
      return `write ${name}`;
  }
}

/** Warnings, but for suggestions: of names that are as near, those that come first. */
function told(warnings: readonly string[]): string[] {
  return warnings.map((warning) => warning.replace(/ Did you mean.*/, '')).sort();
}

describe('whatever came before', () => {
  it.each([1, 2, 3])('collecting ends where a first run does (seed %i)', async (seed) => {
    const random = randomNumbers(seed);
    const root = project({ 'src/a.css': '', 'out/stray.txt': '' });
    const log: string[] = [];
    for (let step = 0; step < 20; step++) {
      for (let count = 1 + random(4); count > 0; count--) log.push(change(random, root));
      const settings = {
        compress: pick(random, [[], ['gzip'], ['br', 'gzip']]),
        references: { ignore: pick(random, [[], [], ['*.css:p.png']]) },
        staticUrl: pick(random, ['/static/', '/static/', '/']),
        storage: hashedStorage({ keepOriginals: pick(random, [true, true, ['*.css'], false]) }),
      };
      if (random(5) === 0) {
        log.push('a run that stops in the middle, where something is missing');
        await collector(random, root, 'out', settings)
          .collect({ strict: true })
          .catch((error: unknown) => expect(String(error)).toContain('references.missing'));
      }
      const options = { clear: random(3) === 0, link: random(6) === 0 };
      const { clear } = options;
      const { keepOriginals } = settings.storage.hashing ?? {};
      log.push(`collect ${JSON.stringify({ ...settings, ...options, keepOriginals })}`);
      const again = await collector(random, root, 'out', settings).collect(options);
      rmSync(join(root, 'cold'), { recursive: true, force: true });
      const first = await collector(random, root, 'cold', settings).collect(options);
      const [was, is] = [tree(join(root, 'cold')), tree(join(root, 'out'))];
      const steps = log.join('\n');
      if (!clear) for (const name of Object.keys(is)) if (!(name in was)) delete is[name];
      expect(is, steps).toEqual(was);
      expect(told(again.warnings), steps).toEqual(told(first.warnings));
      expect({ ...again.compressed, made: 0 }, steps).toEqual({ ...first.compressed, made: 0 });
      expect(again.bytes, steps).toBe(first.bytes);
      if (random(3) === 0) {
        const dry = { ...options, dryRun: true };
        const once = await collector(random, root, 'out', settings).collect(dry);
        expect([once.copied, once.linked, once.deleted], steps).toEqual([
          [],
          [],
          clear ? [] : once.deleted,
        ]);
      }
    }
  });

  it.each([1, 2])('collecting elsewhere ends where it does here (seed %i)', async (seed) => {
    const random = randomNumbers(seed);
    const root = project({ 'src/a.css': '', 'out/stray.txt': '' });
    const storage = memoryStorage();
    const log: string[] = [];
    for (let step = 0; step < 15; step++) {
      for (let count = 1 + random(4); count > 0; count--) log.push(change(random, root));
      const compress = pick(random, [[], ['gzip'], ['br', 'gzip']]);
      const keepOriginals = pick(random, [true, true, ['*.css'], false]);
      const over = (over?: Storage) => ({
        compress,
        storage: hashedStorage({ keepOriginals, ...(over && { over }) }),
      });
      log.push(`collect ${JSON.stringify({ compress, keepOriginals })}`);
      rmSync(join(root, 'out'), { recursive: true, force: true });
      const [there, here] = [
        await collector(random, root, 'out', over(storage)).collect({ clear: true }),
        await collector(random, root, 'out', over()).collect(),
      ];
      const steps = log.join('\n');
      expect(inBoth(await storedIn(storage)), steps).toEqual(inBoth(tree(join(root, 'out'))));
      expect(told(there.warnings), steps).toEqual(told(here.warnings));
      const dry = await collector(random, root, 'out', over(storage)).collect({ dryRun: true });
      expect(dry.copied, steps).toEqual([]);
    }
  });
});

describe('many files', () => {
  it('are collected by several threads as by one', async () => {
    const random = randomNumbers(42);
    const sources: Record<string, string> = {};
    for (let index = 0; index < 900; index++) {
      const next = (index * 7) % 900;
      const [folder, other] = [index % 10, next % 10];
      const path = folder === other ? '' : `../${other}/`;
      sources[`src/${folder}/${index}.css`] =
        index % 3 === 0
          ? `/* ü ${index} */@import "${path}${next}.css";`
          : `a{b:url(../img/${index % 5}.png)}/* ${random(9)} */`;
    }
    for (let index = 0; index < 5; index++) sources[`src/img/${index}.png`] = `${index}`;
    const root = project(sources);
    const settings = { baseDir: root, dirs: ['src'], storage: hashedStorage() };
    const threaded = createStaticFiles({ ...settings, staticRoot: 'out' });
    expect((await threaded.collect()).copied.length).toBe(905);
    // So few at a time stay in one thread.
    const single = (ignore: string[]) =>
      createStaticFiles({ ...settings, staticRoot: 'one', ignore }).collect();
    for (const ignore of [['5', '6', '7', '8', '9'], ['8', '9'], []]) await single(ignore);
    const same = () => {
      const [many, one] = [tree(join(root, 'out')), tree(join(root, 'one'))];
      for (const name of Object.keys(many)) expect(one[name] === many[name], name).toBe(true);
    };
    same();
    const elsewhere = memoryStorage();
    await createStaticFiles({ ...settings, storage: hashedStorage({ over: elsewhere }) }).collect();
    expect(inBoth(await storedIn(elsewhere))).toEqual(inBoth(tree(join(root, 'out'))));
    expect((await threaded.collect()).copied).toEqual([]);
    // A change behind most of them.
    for (let index = 0; index < 5; index++) add(root, { [`src/img/${index}.png`]: `new ${index}` });
    expect((await threaded.collect()).copied.length).toBeGreaterThan(600);
    await single([]);
    same();
    expect(readdirSync(join(root, 'out/.staticfiles')).sort()).toEqual(['manifests', 'state.json']);
  });
});
