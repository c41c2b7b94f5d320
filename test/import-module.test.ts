import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultExport } from '../src/import-module.js';
import { native } from './native.js';
import { project } from './project.js';

const node = native('import-module');

async function importDefault(path: string): Promise<unknown> {
  const exported = await node.answer('importModule', path);
  return defaultExport(exported as Record<string, unknown>);
}

test.each([
  ['a.mjs', 'export default 1; export const other = 2;'],
  ['a.cjs', 'module.exports = 1;'],
  ['a.ts', 'enum A { B = 1 }\nexport default A.B satisfies number;'],
  ['a.mts', 'export default 1 as number;'],
  ['a.cts', 'export default 1 as number;'],
  ['b/with space ü.ts', 'export default 1;'],
  ['compiled.cjs', 'exports.__esModule = true; exports.default = 1;'],
])('the default export of %s', async (name, text) => {
  const root = project({ [name]: text });
  expect(await importDefault(join(root, name))).toBe(1);
});

test('TypeScript imports other files of the project, by every spelling that is usual', async () => {
  const root = project({
    'main.ts':
      "import { a } from './a.js'; import { b } from './b'; import { c } from './c.ts'; import d from './d.json'; export default [a, b, c, d.d];",
    'a.ts': 'export const a: number = 1;',
    'b.ts': 'export const b: number = 2;',
    'c.ts': "import { join } from 'node:path'; export const c = join('3');",
    'd.json': '{"d": 4}',
  });
  expect(await importDefault(join(root, 'main.ts'))).toEqual([1, 2, '3', 4]);
});

test('TypeScript knows where it is', async () => {
  const root = project({ 'main.ts': 'export default import.meta.dirname ?? __dirname;' });
  expect(await importDefault(join(root, 'main.ts'))).toBe(root);
});

test('what has no default has none', () => {
  expect(defaultExport({})).toBeUndefined();
  expect(defaultExport({ default: { __esModule: true } })).toEqual({ __esModule: true });
  expect(defaultExport({ default: null })).toBeNull();
});
