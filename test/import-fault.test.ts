import { join } from 'node:path';
import { expect, it } from 'vitest';
import { importFault } from '../src/import-fault.js';
import { importModule } from '../src/import-module.js';
import { project } from './project.js';

/** What is said of a module with this text. */
async function faultOf(name: string, text: string): Promise<{ said: string; file: string }> {
  const file = join(project({ [name]: text }), name);
  const error = await importModule(file).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeDefined();
  return { said: await importFault(error, file), file };
}

// Where and why a module throws or does not parse: see load-config.test.ts.
it.each([
  ['a.mjs', "import 'no-such-engine';", 'no-such-engine'],
  ['a.mjs', "import 'no-such-engine/runtime.js';", 'no-such-engine'],
  ['a.mjs', "import '@no-such/engine/x';", '@no-such/engine'],
  ['a.cjs', "require('no-such-engine');", 'no-such-engine'],
  ['a.ts', "import 'no-such-engine';", 'no-such-engine'],
])('names the command that installs what %s lacks: %s', async (name, text, missing) => {
  const { said, file } = await faultOf(name, text);
  expect(said.startsWith(file)).toBe(true);
  expect(said).toContain(missing);
  expect(said.endsWith(`. Install it: npm install ${missing}`), said).toBe(true);
  expect(said).not.toContain('\n');
});

it.each([
  ['a.mjs', "import './no-such-file.js';"],
  ['a.cjs', "require('./no-such-file.js');"],
  ['a.mjs', "import '/no/such/file.js';"],
  ['a.mjs', "throw new Error('no luck');"],
])('names no command where %s lacks no package: %s', async (name, text) => {
  expect((await faultOf(name, text)).said).not.toContain('npm install');
});
