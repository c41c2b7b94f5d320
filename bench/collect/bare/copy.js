// node copy.js sync|async SOURCE TARGET: what a collect of hashed names cannot do without, in Node: each
// file is read, hashed and written once, and gets its hashed name as a hard link.
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { link, readFile, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';

const IN_FLIGHT = 16;
const [, , mode, source, target] = process.argv;

if (mode === 'sync') copySync('');
else await copyAsync();

function copySync(folder) {
  mkdirSync(join(target, folder), { recursive: true });
  for (const entry of readdirSync(join(source, folder), { withFileTypes: true })) {
    const name = join(folder, entry.name);
    if (entry.isDirectory()) {
      copySync(name);
      continue;
    }
    const body = readFileSync(join(source, name));
    writeFileSync(join(target, name), body);
    linkSync(join(target, name), join(target, hashedName(name, body)));
  }
}

async function copyAsync() {
  const names = [];
  const walk = (folder) => {
    mkdirSync(join(target, folder), { recursive: true });
    for (const entry of readdirSync(join(source, folder), { withFileTypes: true })) {
      const name = join(folder, entry.name);
      if (entry.isDirectory()) walk(name);
      else names.push(name);
    }
  };
  walk('');
  const queue = names.values();
  const work = async () => {
    for (const name of queue) {
      const body = await readFile(join(source, name));
      await writeFile(join(target, name), body);
      await link(join(target, name), join(target, hashedName(name, body)));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

function hashedName(path, body) {
  const { dir, name, ext } = parse(path);
  const hash = createHash('md5').update(body).digest('hex').slice(0, 12);
  return join(dir, `${name}.${hash}${ext}`);
}
