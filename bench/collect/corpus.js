// node bench/collect/corpus.js [CORPUS...]: makes the files that the benchmarks collect.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where they are: as published packages hardly change, they are made once and kept. */
const FOLDER = resolve(
  process.env.CORPUS ??
    fileURLToPath(new URL('../../node_modules/.cache/staticfiles-bench', import.meta.url)),
);

/**
 * Packages as they are published, and the parts of them that are taken: all where none is named.
 * Left out are folders that repeat other files of the same package.
 */
const PACKAGES = {
  'bootstrap@5.3.9': [],
  '@fortawesome/fontawesome-free@7.3.1': 'css js scss metadata sprites webfonts svgs'.split(' '),
  'jquery@4.0.0': [],
  'htmx.org@4.0.1': [],
  'tinymce@8.9.2': [],
  'monaco-editor@0.57.0': [],
  'three@0.187.0': [],
  'mathjax@4.1.3': [],
  'ace-builds@1.45.2': [],
  'swagger-ui-dist@5.35.0': [],
  'leaflet@1.9.4': [],
  'video.js@8.24.1': [],
  'pdfjs-dist@5.6.205': [],
  'katex@0.19.1': [],
  '@tabler/icons@3.51.0': ['icons'],
};

const FILES_IN_A_FOLDER = 100;

/**
 * The folder of a corpus, which is made where it is not there yet.
 *
 * @param name `large`: 16,724 files of 15 packages, 330 MB; `synthetic-<files>`: that many small ones
 */
export function corpus(name) {
  return made(name, (folder) => {
    if (name === 'large') makeLarge(folder);
    else makeSynthetic(folder, foldersOf(name));
  });
}

/** The folder of that name, which `make` fills where it is not there yet, whole or not at all. */
export function made(name, make) {
  const folder = join(FOLDER, name);
  if (existsSync(folder)) return folder;
  console.error(`making ${folder}`);
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  make(unfinished);
  renameSync(unfinished, folder);
  return folder;
}

/** A file of the corpus that stylesheets name, as its path there. */
export function referencedFileOf(name) {
  return name === 'large' ? 'leaflet/dist/images/layers.png' : 'd000/a.css';
}

/** The paths of all files of a folder. */
export function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function makeLarge(folder) {
  const unpacked = join(folder, '.unpacked');
  for (const [spec, parts] of Object.entries(PACKAGES)) {
    mkdirSync(unpacked);
    const run = (program, ...args) =>
      execFileSync(program, args, {
        cwd: unpacked,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 2],
      });
    const archive = run('npm', 'pack', '--silent', '--ignore-scripts', spec).trim();
    run('tar', '-xzf', archive, '--strip-components=1', '--no-same-owner');
    rmSync(join(unpacked, archive));
    const target = join(folder, spec.slice(0, spec.lastIndexOf('@')));
    mkdirSync(dirname(target), { recursive: true });
    if (parts.length === 0) renameSync(unpacked, target);
    for (const part of parts) cpSync(join(unpacked, part), join(target, part), { recursive: true });
    rmSync(unpacked, { recursive: true, force: true });
  }
}

function foldersOf(name) {
  const files = Number(/^synthetic-(\d+)$/.exec(name)?.[1]);
  // By ten: every folder's stylesheets then name another folder's, see below.
  if (files > 0 && files % (10 * FILES_IN_A_FOLDER) === 0) return files / FILES_IN_A_FOLDER;
  throw new Error(
    `No corpus is called '${name}': take large, or synthetic-100000 or other thousands.`,
  );
}

/**
 * In each folder 98 files of 0.2 to 2 KB (scripts, and pictures and fonts of random bytes), `a.css`,
 * which names 20 files of its own folder and of another one, and `b.css`, which imports the other's
 * `a.css` and names 19 files. No target is missing, nothing goes in a circle, and the bytes are the
 * same every time.
 */
function makeSynthetic(folder, count) {
  const random = seeded(42);
  const below = (limit) => Math.floor(random() * limit);
  const folderName = (number) => `d${String(number).padStart(3, '0')}`;
  const types = ['js', 'svg', 'png', 'woff2'];
  const fileName = (number) => `f${String(number).padStart(2, '0')}.${types[number % 4]}`;
  const bytes = (size) => Buffer.from(Array.from({ length: size }, () => below(256)));
  const words = (size) => {
    let text = '';
    while (text.length < size)
      text += `${['alpha', 'border', 'color', 'width'][below(4)]}${below(1e6)} `;
    return text;
  };
  const content = {
    js: (size) => `export const value = '${words(size)}';\n`,
    svg: (size) => `<svg xmlns="http://www.w3.org/2000/svg"><title>${words(size)}</title></svg>\n`,
    png: bytes,
    woff2: bytes,
  };
  const plain = FILES_IN_A_FOLDER - 2;
  const rules = (number, folders) =>
    Array.from({ length: number }, (_, i) => {
      const url = folders[i % 2] + fileName(below(plain));
      return `.c${i}{color:#${below(0xffffff).toString(16)};background:url("${url}")}\n`;
    }).join('');

  for (let number = 0; number < count; number++) {
    const here = join(folder, folderName(number));
    mkdirSync(here);
    for (let i = 0; i < plain; i++) {
      writeFileSync(join(here, fileName(i)), content[types[i % 4]](200 + below(1800)));
    }
    const other = `../${folderName((number * 7 + 13) % count)}/`;
    writeFileSync(join(here, 'a.css'), rules(20, [other, '']));
    writeFileSync(join(here, 'b.css'), `@import "${other}a.css";\n${rules(19, ['', other])}`);
  }
}

/** Numbers from 0 to 1, the same ones for the same seed: mulberry32. */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  for (const name of names.length > 0 ? names : ['large', 'synthetic-100000']) {
    const folder = corpus(name);
    console.log(`${folder}: ${filesOf(folder).length} files`);
  }
}
