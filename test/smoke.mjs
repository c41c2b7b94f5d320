// The built package in one run, by itself: for versions of Node that the test runner does not run on.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import nunjucks from 'nunjucks';
import { createStaticFiles, hashedStorage, loadConfig } from 'staticfiles';
import { registerStatic as registerHandlebars } from 'staticfiles/handlebars';
import { registerStatic as registerNunjucks } from 'staticfiles/nunjucks';

const root = mkdtempSync(join(tmpdir(), 'staticfiles-'));
try {
  writeFileSync(
    join(root, 'staticfiles.config.ts'),
    "const dirs: string[] = ['.'];\nexport default { dirs, staticRoot: '../collected', mediaUrl: '/media/' };",
  );
  writeFileSync(join(root, 'a b.css'), 'a{}');
  writeFileSync(
    join(root, 'staticfiles.json'),
    JSON.stringify({ paths: { 'a b.css': 'a b.0123456789ab.css' }, version: '1.0' }),
  );

  const settings = await loadConfig({ cwd: root });
  const files = createStaticFiles({ ...settings, debug: true });
  assert.equal(files.staticUrl('a b.css'), '/static/a%20b.css');
  assert.equal(files.find('a b.css'), join(root, 'a b.css'));

  const hashed = createStaticFiles({ staticRoot: root, storage: hashedStorage(), debug: false });
  const env = new nunjucks.Environment();
  registerNunjucks(env, hashed);
  const url = '/static/a%20b.0123456789ab.css';
  assert.equal(env.renderString("{% static 'a b.css' %}"), url);
  assert.equal(env.renderString('<% static x %>', { x: 'a b.css' }), url);
  const handlebars = Handlebars.create();
  registerHandlebars(handlebars, hashed);
  assert.equal(
    handlebars.compile("{{static 'a b.css'}} <<static x>>")({ x: 'a b.css' }),
    `${url} ${url}`,
  );

  const server = createServer(files.handler).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const response = await fetch(`http://127.0.0.1:${server.address().port}/static/a%20b.css`);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), 'a{}');
  server.closeAllConnections();
  server.close();

  const required = createRequire(import.meta.url)('staticfiles');
  assert.equal(required.createStaticFiles, createStaticFiles);
  console.log(`${process.version} ok`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
