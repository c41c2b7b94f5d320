// node bench/remote/corpus.js [FILES...]: makes the files that are sent to a store.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesOf, made, seeded } from '../collect/corpus.js';

/** What a folder of 100 holds: how many of each, and how large they are on average, in bytes. */
const KINDS = {
  css: { count: 8, size: 10_000 },
  js: { count: 40, size: 8_000 },
  svg: { count: 32, size: 1_500 },
  png: { count: 16, size: 9_000 },
  woff2: { count: 4, size: 22_000 },
};
const FILES_IN_A_FOLDER = 100;
const REFERENCES = 12;
const NOISE = 1 << 20;

/** The stylesheet that a run changes: no other file names it. */
export const CHANGED = 'app000/css-07.css';

/**
 * The folder of that many files, as sites have them, 7 KB each on average; it is made where it is not
 * there yet. In each folder the first stylesheet is imported by the other seven, each of which names
 * 12 pictures and fonts of its own folder and of another one, and each script imports up to three
 * before it. No target is missing, nothing goes in a circle, and the bytes are the same every time.
 *
 * @param files a multiple of 100
 */
export function remoteCorpus(files) {
  if (!(files > 0 && files % FILES_IN_A_FOLDER === 0)) {
    throw new Error(`A corpus has 100 files, or a multiple of that, not ${files}.`);
  }
  return made(`remote-${files}`, (folder) => makeCorpus(folder, files / FILES_IN_A_FOLDER));
}

function makeCorpus(root, folders) {
  const content = contents(folders);
  for (let number = 0; number < folders; number++) {
    const folder = join(root, folderName(number));
    mkdirSync(folder);
    for (const [type, { count, size }] of Object.entries(KINDS)) {
      for (let i = 0; i < count; i++) {
        writeFileSync(join(folder, fileName(type, i)), content[type](number, i, size));
      }
    }
  }
}

function contents(folders) {
  const random = seeded(42);
  const below = (limit) => Math.floor(random() * limit);
  const noise = Buffer.from(Array.from({ length: NOISE }, () => below(256)));
  const around = (size) => Math.round(size * (0.2 + 1.6 * random()));

  /** Incompressible bytes, which pictures and fonts are; no two files have the same. */
  function bytes(number, i, size) {
    const length = around(size);
    const start = below(NOISE - length);
    return Buffer.concat([Buffer.from(`${number}/${i};`), noise.subarray(start, start + length)]);
  }

  function filled(head, line, size) {
    const length = around(size);
    let text = head;
    while (text.length < length) text += line();
    return text;
  }

  function target(number) {
    const isHere = random() < 0.5;
    const type = random() < 0.8 ? 'png' : 'woff2';
    const file = fileName(type, below(KINDS[type].count));
    return isHere ? file : `../${folderName((number * 7 + 13) % folders)}/${file}`;
  }

  const word = () => ['alpha', 'border', 'color', 'width', 'event', 'value'][below(6)] + below(1e6);
  const rule = () => `.${word()} {\n  color: #${below(0xffffff)};\n  margin: ${below(99)}px;\n}\n`;
  const pictured = (number) => `.${word()} {\n  background: url("${target(number)}");\n}\n`;
  const statement = () => `export const ${word()} = { ${word()}: '${word()} ${word()}' };\n`;
  return {
    css(number, i, size) {
      const rules = Array.from({ length: REFERENCES }, () => pictured(number)).join('');
      return i === 0
        ? filled('', rule, size)
        : filled(`@import "${fileName('css', 0)}";\n${rules}`, rule, size);
    },
    js(_number, i, size) {
      const imports = Array.from({ length: Math.min(i, below(4)) }, () => fileName('js', below(i)));
      const head = imports.map((file) => `import './${file}';\n`).join('');
      return filled(head, statement, size);
    },
    svg(_number, _i, size) {
      const head = '<svg xmlns="http://www.w3.org/2000/svg">';
      return `${filled(head, () => `<path d="M${below(99)} ${below(99)}L${below(99)} ${below(99)}"/>`, size)}</svg>\n`;
    },
    png: bytes,
    woff2: bytes,
  };
}

function folderName(number) {
  return `app${String(number).padStart(3, '0')}`;
}

function fileName(type, number) {
  return `${type}-${String(number).padStart(2, '0')}.${type}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = process.argv.slice(2).map(Number);
  for (const size of sizes.length > 0 ? sizes : [1_000, 10_000, 100_000]) {
    const folder = remoteCorpus(size);
    console.log(`${folder}: ${filesOf(folder).length} files`);
  }
}
