import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { project } from '../project.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the example imports, besides this package. */
const PACKAGES = [
  '@hono/node-server',
  '@picocss/pico',
  'express',
  'fastify',
  'handlebars',
  'hono',
  'koa',
  'nunjucks',
];

/** A copy of the example with hashed names, which has all that it imports. */
export function example(): string {
  const folder = project({});
  cpSync(join(root, 'examples/polls'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const link = (name: string, target: string) => {
    const path = join(folder, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path, 'junction');
  };
  link('staticfiles', root);
  for (const name of PACKAGES) link(name, join(root, 'node_modules', name));
  return folder;
}
