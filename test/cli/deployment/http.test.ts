import { readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { APPLICATION, HTTP_CASES } from '../../contracts/http.js';
import { type HttpServer, listen } from '../../listen.js';
import { add } from '../../project.js';
import { addressesOf, checkCase } from '../../serve/http/case.js';
import { type HttpSite, httpSite } from '../../serve/http/site.js';
import type { HttpTarget } from '../../serve/http/target.js';
import { DEVIATIONS, type Deviation } from './deviations.js';
import { isInstalled, missing, printAndStart, WEB_SERVERS } from './servers.js';

const INDEX = new URL('../../../src/index.ts', import.meta.url).pathname;
const PAGE = new URL('../../../docs/deployment.md', import.meta.url);

/** What {@link httpSite} is made with, as a configuration file. */
const CONFIG = `import { hashedStorage } from ${JSON.stringify(INDEX)};
export default { dirs: ['static'], staticRoot: 'collected', storage: hashedStorage(), compress: true, rootFiles: 'public' };`;

/** Apache takes no tag for strong of a file that was changed just now. */
function ageFiles(folder: string): void {
  const anHourAgo = Date.now() / 1000 - 3600;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    utimesSync(join(folder, name), anHourAgo, anHourAgo);
  }
}

function deviationOf(
  deviations: readonly Deviation[],
  id: string,
  address: string,
): Deviation | undefined {
  return deviations.find(({ cases }) => cases.includes(id) || cases.includes(`${id} (${address})`));
}

describe.each(WEB_SERVERS)('what the command prints for $name', (server) => {
  const deviations: readonly Deviation[] = DEVIATIONS[server.name];

  test('does otherwise what the page says, and in cases that there are', () => {
    const page = readFileSync(PAGE, 'utf8').replace(/\s+/g, ' ');
    const ids = HTTP_CASES.flatMap(({ id }) => [id, `${id} (name)`, `${id} (hash)`]);
    for (const { says, cases } of deviations) {
      expect(page).toContain(says);
      expect(cases.filter((id) => !ids.includes(id))).toEqual([]);
    }
  });

  if (!isInstalled(server)) {
    test.skip(`serves as files.handler does: ${missing(server)}`, () => {});
    return;
  }
  let site: HttpSite;
  let application: HttpServer;
  let running: HttpServer;
  let target: HttpTarget;

  beforeAll(async () => {
    site = await httpSite('hashed');
    add(site.root, { 'staticfiles.config.ts': CONFIG });
    ageFiles(join(site.root, 'public'));
    application = await listen((_, response) => response.end(APPLICATION));
    const proxy = ['--proxy', application.url];
    running = await printAndStart(server, site.root, [...proxy, ...server.options]);
    target = { url: running.url, site };
  });
  afterAll(async () => {
    await running?.close();
    await application?.close();
    site?.remove();
  });

  for (const row of HTTP_CASES) {
    for (const address of addressesOf(row, 'hashed')) {
      const deviation = deviationOf(deviations, row.id, address);
      const title = `${row.id} (${address})`;
      const check = () => checkCase(row, target, address);
      if (deviation === undefined) test(`${title}: ${row.says}`, check);
      else test(`${title}: not so. ${deviation.says}`, () => expect(check()).rejects.toThrow());
    }
  }

  test('its log has nothing to complain of', () => {
    const log = readFileSync(join(site.root, 'server', 'error.log'), 'utf8');
    expect(log).not.toMatch(/\[(?:\w+:)?(?:emerg|alert|crit|warn)\]|"level":"error"|not formatted/);
  });
});
