import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The name of the file with that number: folders and types as sites have them. */
export function nameOf(number) {
  const type = number % 4;
  return `${['css', 'js', 'img', 'fonts'][type]}/app${number % 23}/part-${number}.${['css', 'js', 'svg', 'woff2'][type]}`;
}

export function hashedNameOf(name) {
  const hash = createHash('md5').update(name).digest('hex').slice(0, 12);
  return name.replace(/(\.\w+)$/, `.${hash}$1`);
}

export function namesUpTo(count) {
  return Array.from({ length: count }, (_, number) => nameOf(number));
}

/** A folder with a manifest of that many names, as collecting leaves it; gone when the process ends. */
export function collectedFolder(count) {
  const folder = mkdtempSync(join(tmpdir(), 'staticfiles-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const paths = Object.fromEntries(namesUpTo(count).map((name) => [name, hashedNameOf(name)]));
  writeFileSync(
    join(folder, 'staticfiles.json'),
    JSON.stringify({ paths, version: '1.0', hash: '' }),
  );
  return folder;
}
