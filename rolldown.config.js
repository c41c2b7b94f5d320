import { readdirSync } from 'node:fs';
import { relative } from 'node:path';
import { defineConfig } from 'rolldown';

/** What a program loads when it first needs it. */
const LATER =
  /^src\/(?:cli|collect|serve|scanners)\/|^src\/(?:checks|header-fields|disarm|stored-fields|load-peer|cache-control|upload-names|storages\/upload-\w+|media-types|angle-tags|import-module|import-fault|scanner|testing|listener)\.ts$/;

const files = ['src', 'adapters'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`),
);

function isNeededAtOnce(path) {
  const file = relative(import.meta.dirname, path).replaceAll('\\', '/');
  return file.startsWith('src/') && !LATER.test(file);
}

/** What is alone in its file is called by its place, for names come more than once. */
function chunkName({ name, moduleIds }) {
  if (moduleIds.length !== 1) return `chunks/${name}.js`;
  const path = relative(import.meta.dirname, moduleIds[0]).replaceAll('\\', '/');
  return `chunks/${path
    .replace(/^(?:src|adapters)\//, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', '-')}.js`;
}

/**
 * Makes one file of the two dozen between `import 'staticfiles'` and a URL: to load a file costs a
 * program half a millisecond of its start, and one that has loaded once is the same for everybody.
 * Every module keeps its own address besides.
 */
export default defineConfig({
  input: Object.fromEntries(files.map((file) => [file.replace(/\.ts$/, ''), file])),
  platform: 'node',
  preserveEntrySignatures: 'allow-extension',
  logLevel: 'warn',
  external: /^[^./]/,
  output: {
    dir: 'dist',
    chunkFileNames: chunkName,
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: 'core', test: isNeededAtOnce }],
    },
  },
});
