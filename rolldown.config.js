import { readdirSync } from 'node:fs';
import { defineConfig } from 'rolldown';

/** What the package offers, and what a program loads when it first needs it. */
const LATER =
  /\/adapters\/|\/src\/(?:cli|collect|serve|scanners)\/|\/src\/(?:checks|upload-names|storages\/upload|media-types|angle-tags|import-module|import-fault|scanner)\.ts$/;

const files = ['src', 'adapters'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`),
);

function isNeededAtOnce(path) {
  const id = path.replaceAll('\\', '/');
  return id.includes('/src/') && !LATER.test(id);
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
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: 'core', test: isNeededAtOnce }],
    },
  },
});
