import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { extensionAt } from '../../src/names.js';
import { createStaticFiles } from '../../src/static-files.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { django } from '../django.js';
import { BIN } from '../process.js';
import { add } from '../project.js';
import { generatedTree } from './generated-tree.js';

const local = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Trees that are collected by real Django and by us, and how many references Django rewrites at least. */
const trees: { name: string; source?: string; rewritten: number; forgiving?: boolean }[] = [
  { name: 'bootstrap', source: local('../../node_modules/bootstrap'), rewritten: 0 },
  {
    name: '@fortawesome/fontawesome-free',
    source: local('../../node_modules/@fortawesome/fontawesome-free'),
    rewritten: 20,
  },
  { name: 'tinymce', source: local('../../node_modules/tinymce'), rewritten: 0 },
  { name: 'a generated tree', rewritten: 3000 },
  // HELD_OUT=folder:folder tries others. Django would stop at the first reference to a missing file.
  ...(process.env.HELD_OUT ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((source) => ({ name: basename(source), source, rewritten: 0, forgiving: true })),
];

interface Collected {
  readonly root: string;
  /** Names and hashed names, in the manifest's order. */
  readonly paths: Readonly<Record<string, string>>;
  /** The content of a name's hashed file, a unit for each byte. */
  bytes(name: string): string;
  /** The name that a reference of the file `from` leads to by its hashed name. */
  target(url: string, from: string): string | undefined;
}

function collected(root: string): Collected {
  const paths: Record<string, string> = JSON.parse(
    readFileSync(join(root, 'staticfiles.json'), 'utf8'),
  ).paths;
  const names = new Map(Object.entries(paths).map(([name, hashed]) => [hashed, name]));
  return {
    root,
    paths,
    bytes: (name) => readFileSync(join(root, paths[name] as string), 'latin1'),
    target(url, from) {
      if (/^[a-z]+:/i.test(url)) return undefined;
      const path = url.replace(/[?#].*$/s, '');
      const name = path.startsWith('/static/')
        ? path.slice('/static/'.length)
        : posix.join(posix.dirname(from), path);
      return names.get(name) ?? names.get(decodeURIComponent(name));
    },
  };
}

function ask(command: 'collect' | 'read', job: object) {
  const output = execFileSync(django.python, ['-W', 'ignore', local('django_judge.py'), command], {
    input: JSON.stringify(job),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, PYTHONUTF8: '1', PYTHONDONTWRITEBYTECODE: '1' },
  });
  return JSON.parse(output);
}

/** Collects with the built command, as users do. */
function collectWithUs(source: string, staticRoot: string, config: string): void {
  const settings = JSON.stringify({ staticRoot, dirs: [source] });
  const ours = new URL('../../dist/src/index.js', import.meta.url);
  writeFileSync(
    config,
    `import { hashedStorage } from '${ours}';\nexport default { ...${settings}, storage: hashedStorage() };\n`,
  );
  execFileSync(
    process.execPath,
    [BIN, 'collectstatic', '--no-input', '-v', '0', '--config', config],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
}

/**
 * The URLs of a stylesheet's `url()` and `@import`, comments and strings apart, and of its source map;
 * of a script the source map's only. In the order of the text: the same place in what two collectors
 * made of it has the same index.
 */
function referencesOf(name: string, bytes: string): string[] {
  const text = Buffer.from(bytes, 'latin1').toString();
  if (name.endsWith('.js')) {
    return [...text.matchAll(/^\/\/# sourceMappingURL=(.*)$/gm)].map(([, url = '']) => url);
  }
  const parts = text.matchAll(
    /\/\*# sourceMappingURL=(?<map>\S+) \*\/|\/\*.*?\*\/|(?:@import\s*|\burl\(\s*)(?:"(?<double>(?:[^"\\]|\\.)*)"|'(?<single>(?:[^'\\]|\\.)*)')|\burl\(\s*(?<bare>[^\s"')]*)|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gis,
  );
  return [...parts].flatMap(
    ({ groups = {} }) => groups.map ?? groups.double ?? groups.single ?? groups.bare ?? [],
  );
}

describe.skipIf(!django.installed).each(trees)(
  `$name, collected by Django ${django.version} and by us${django.why}`,
  ({ source: given, rewritten, forgiving }) => {
    let scratch: string;
    let source: string;
    let theirs: Collected;
    let ours: Collected;
    /** The names that both know, and those of them whose files may refer to others. */
    let common: string[];
    let texts: string[];

    beforeAll(() => {
      scratch = mkdtempSync(join(tmpdir(), 'staticfiles-django-'));
      source = given ?? join(scratch, 'source');
      if (given === undefined) add(source, generatedTree());
      const [their, our] = [join(scratch, 'theirs'), join(scratch, 'ours')];
      mkdirSync(their);
      ask('collect', { source, root: their, forgiving });
      collectWithUs(source, our, join(scratch, 'staticfiles.config.mjs'));
      theirs = collected(their);
      ours = collected(our);
      common = Object.keys(theirs.paths).filter((name) => name in ours.paths);
      texts = common.filter((name) => /\.(?:css|js)$/.test(name));
    });

    afterAll(() => rmSync(scratch, { recursive: true, force: true }));

    const sourceOf = (name: string) => readFileSync(join(source, name), 'latin1');

    test('the same names', () => {
      expect(Object.keys(ours.paths).sort()).toEqual(Object.keys(theirs.paths).sort());
      for (const { root, paths } of [theirs, ours]) {
        const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
        const missing = new Set(Object.entries(paths).flat());
        for (const file of files) missing.delete(file);
        expect([...missing], root).toEqual([]);
      }
    });

    test('the same hashed names, for every file that names no other', () => {
      const same = common.filter(
        (name) => theirs.bytes(name) === sourceOf(name) && ours.bytes(name) === sourceOf(name),
      );
      expect(same.filter((name) => ours.paths[name] !== theirs.paths[name])).toEqual([]);
      expect(same.length).toBeGreaterThan(10);
    });

    test('every reference that Django rewrites is rewritten to the same target', () => {
      let count = 0;
      const others: object[] = [];
      for (const name of texts) {
        const written = referencesOf(name, sourceOf(name));
        const [their, our] = [theirs, ours].map((by) => referencesOf(name, by.bytes(name)));
        expect([name, their?.length, our?.length]).toEqual([name, written.length, written.length]);
        for (const [index, reference] of written.entries()) {
          const [by, byUs] = [their?.[index] as string, our?.[index] as string];
          if (by === reference) continue;
          count++;
          const target = theirs.target(by, name);
          const same = target !== undefined && ours.target(byUs, name) === target;
          if (!same || suffixOf(byUs) !== suffixOf(by)) others.push({ name, reference, by, byUs });
        }
      }
      expect(others).toEqual([]);
      expect(count).toBeGreaterThanOrEqual(rewritten);
    });

    test('we insert hashes, and leave every other byte', () => {
      const hashes = new Set(
        Object.entries(ours.paths).map(([name, hashed]) =>
          hashed.slice(extensionAt(name)).slice(0, 13),
        ),
      );
      const without = (text: string) =>
        text.replace(/\.[\da-f]{12}/g, (infix) => (hashes.has(infix) ? '' : infix));
      const changed = texts.filter((name) => without(ours.bytes(name)) !== sourceOf(name));
      expect(changed).toEqual([]);
    });

    test('Django loads our manifest, and answers our URLs', () => {
      const { paths, stored, urls } = ask('read', { root: ours.root });
      expect(paths).toEqual(ours.paths);
      expect(stored).toEqual(ours.paths);
      compareUrls(ours.root, urls);
    });

    test("our manifest's hash is what Django computes", () => {
      const { hash } = JSON.parse(readFileSync(join(ours.root, 'staticfiles.json'), 'utf8'));
      expect(hash).toMatch(/^[\da-f]{12}$/);
      expect(hash).toBe(ask('read', { root: ours.root }).hash);
    });

    test("we load Django's manifest, and answer its URLs", () => {
      compareUrls(theirs.root, ask('read', { root: theirs.root }).urls);
    });
  },
);

/**
 * Our URLs of what was collected into `root` are Django's; its manifest storage leaves raw what we
 * percent-encode (docs/from-django.md, "URLs").
 */
function compareUrls(root: string, urls: Record<string, string>): void {
  const files = createStaticFiles({ staticRoot: root, debug: false, storage: hashedStorage() });
  const [ours, theirs] = [Object.keys(urls).map(files.staticUrl), Object.values(urls)];
  expect(ours).toEqual(theirs.map(encodeURI));
}

function suffixOf(url: string): string {
  return /[?#].*$/s.exec(url)?.[0] ?? '';
}
