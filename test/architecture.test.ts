import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');

/** Every source file, as the page spells it: without `src/` and its ending. */
const files = ['src', 'adapters'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => nameOf(join(root, folder, path))),
);

function nameOf(path: string): string {
  return relative(root, path)
    .replaceAll(sep, '/')
    .replace(/^src\//, '')
    .replace(/\.[jt]s$/, '');
}

function pathOf(name: string): string {
  return join(root, name.startsWith('adapters/') ? '' : 'src', `${name}.ts`);
}

/** What a file imports, types too: files by name, packages by package name. */
function importsOf(name: string): { files: string[]; packages: string[] } {
  const path = pathOf(name);
  const source = readFileSync(path, 'utf8');
  const found = [
    ...source.matchAll(/^import\s+(?:[^'";]*\sfrom\s+)?'([^']+)'/gm),
    ...source.matchAll(/^export\s+(?:type\s+)?(?:\*|\{[^}]*\})\s+from\s+'([^']+)'/gm),
    ...source.matchAll(/\bimport\('([^']+)'\)/g),
  ];
  const specifiers = found.map((match) => match[1] as string);
  return {
    files: specifiers
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => nameOf(resolve(dirname(path), specifier))),
    packages: specifiers
      .filter((specifier) => !specifier.startsWith('.') && !isBuiltin(specifier))
      .map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier),
  };
}

/** The rows of the page's table under a heading. */
function table(heading: string): string[][] {
  const section = page.slice(page.indexOf(`## ${heading}`)).split('\n## ')[0] as string;
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
    .slice(1)
    .map((line) => line.slice(2, -2).split(' | '));
}

const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
const words = (cell: string) => cell.split(/[,;]\s*/);

const parts = table('Who may import whom').map(([part = '', where = '', allowed = '']) => ({
  part,
  where: names(where),
  allowed: words(allowed),
  special: names(allowed),
}));

function partOf(name: string): (typeof parts)[number] | undefined {
  return parts.find(({ where }) =>
    where.some((place) => (place.endsWith('/') ? name.startsWith(place) : name === place)),
  );
}

const folderOf = (name: string) => dirname(name);
/** `adapters/handlebars-tree` belongs to the host `handlebars`, `adapters/s3/fields` to `s3`. */
const hostOf = (name: string) => name.replace(/^adapters\//, '').split(/[-/]/)[0];

function mayImport(from: string, to: string): boolean {
  const part = partOf(from);
  const target = partOf(to);
  if (part === undefined || target === undefined) return false;
  if (part.special.includes(to)) return true;
  if (part.part === 'kinds' && target.part === 'kinds') return false;
  if (part.allowed.includes('own folder') && target.part === part.part) {
    return folderOf(from) === folderOf(to);
  }
  if (part.allowed.includes('own host') && target.part === part.part) {
    return hostOf(from) === hostOf(to);
  }
  return part.allowed.includes(target.part);
}

describe('the house', () => {
  it('gives every file its part', () => {
    expect(files.filter((name) => partOf(name) === undefined)).toEqual([]);
    expect(files.length).toBeGreaterThan(30);
  });

  it('has no part for a file that is not there', () => {
    const places = parts.flatMap(({ where }) => where);
    const unused = places.filter(
      (place) =>
        !files.some((name) => (place.endsWith('/') ? name.startsWith(place) : name === place)),
    );
    expect(unused).toEqual([]);
  });

  it('lists every file', () => {
    const drawing = page.slice(0, page.indexOf('Three ways'));
    const listed = new Set(drawing.match(/[\w-]+/g));
    const missing = files.filter((name) => !listed.has(name.split('/').at(-1) as string));
    expect(missing).toEqual([]);
  });

  it.each(files)('lets %s import only what its part may', (name) => {
    const imported = importsOf(name).files;
    expect(imported.filter((other) => !files.includes(other))).toEqual([]);
    expect(imported.filter((other) => !mayImport(name, other))).toEqual([]);
  });

  it('has no cycles', () => {
    const cycles: string[][] = [];
    const done = new Set<string>();
    const visit = (name: string, trail: string[]) => {
      if (trail.includes(name)) cycles.push([...trail.slice(trail.indexOf(name)), name]);
      else if (!done.has(name)) {
        for (const other of importsOf(name).files) visit(other, [...trail, name]);
        done.add(name);
      }
    };
    for (const name of files) visit(name, []);
    expect(cycles).toEqual([]);
  });

  it('imports the packages that the page lists, where it lists them', () => {
    const used = files.flatMap((name) =>
      // Types of a package and, later, its code are one use of it.
      [...new Set(importsOf(name).packages)].map((pack) => `${pack} in ${name}`),
    );
    const listed = table('Packages').flatMap(([pack = '', where = '']) =>
      names(where).map((file) => `${names(pack)[0]} in ${file}`),
    );
    expect(used.sort()).toEqual(listed.sort());
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(Object.keys(manifest.dependencies).sort()).toEqual(
      table('Packages')
        .flatMap(([pack = '']) => names(pack))
        .filter((pack) => !(pack in manifest.peerDependencies))
        .sort(),
    );
  });

  it('imports nothing but types of a peer, which need not be installed, and code when it is used', () => {
    const { peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const source = files.map((name) => readFileSync(pathOf(name), 'utf8')).join('\n');
    const imported = Object.keys(peerDependencies).flatMap(
      (peer) =>
        source.match(
          new RegExp(
            `^(?:import|export) .*'${peer}(?:/.*)?'|^.*import\\('${peer}(?:/.*)?'\\)`,
            'gm',
          ),
        ) ?? [],
    );
    // `() => import('…')` is called where the package is needed, and there says who misses it.
    const later = /^import type |\(\) => import\(|return await import\(/;
    expect(imported.filter((line) => !later.test(line))).toEqual([]);
    expect(imported.length).toBeGreaterThan(0);
  });
});
