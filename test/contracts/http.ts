import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Settings } from '../../src/settings.js';
import type { StaticFiles } from '../../src/static-files.js';
import type { HttpServer } from '../listen.js';
import { addressesOf, checkCase, type HttpCase } from '../serve/http/case.js';
import { CONDITIONAL } from '../serve/http/conditional.js';
import { askOnce, Connection, spelled } from '../serve/http/connection.js';
import { ENCODINGS } from '../serve/http/encodings.js';
import { MISSES } from '../serve/http/misses.js';
import { RANGES } from '../serve/http/ranges.js';
import { COMPRESSED, type HttpSite, httpSite, MODES, type Mode } from '../serve/http/site.js';
import { type HttpTarget, known } from '../serve/http/target.js';
import { WHOLE } from '../serve/http/whole.js';

/** A way of serving, to be held to HTTP. */
export interface HttpWay {
  /**
   * Starts a server that serves these files, and whose application answers every request that it is
   * handed, whatever the method, with 200 and the text {@link APPLICATION}.
   */
  start(files: StaticFiles): Promise<HttpServer>;
  /** @default {@link MODES} */
  readonly modes?: readonly Mode[];
  /** Settings besides those of the site. */
  readonly settings?: Settings;
  /** Cases that the host makes impossible: the reason, by a case's id. */
  readonly except?: Readonly<Record<string, string>>;
}

export { APPLICATION } from '../serve/http/answers.js';

/**
 * Every case, for whoever checks a server of his own: {@link checkCase} with the site of
 * {@link httpSite} runs one of them, for each of {@link addressesOf}.
 */
export const HTTP_CASES: readonly HttpCase[] = [
  ...WHOLE,
  ...MISSES,
  ...CONDITIONAL,
  ...RANGES,
  ...ENCODINGS,
];

/** What every way of serving must do: RFC 9110, 9111 and 9112, and what the project promises. */
export function describeHttp(title: string, way: HttpWay): void {
  const { start, modes = MODES, settings = {}, except = {} } = way;
  describe.each(modes)(`${title}, %s, over a socket:`, (mode) => {
    let site: HttpSite;
    let server: HttpServer;
    let target: HttpTarget;

    beforeAll(async () => {
      site = await httpSite(mode, settings);
      server = await start(site.files);
      target = { url: server.url, site };
    });
    afterAll(async () => {
      await server?.close();
      site?.remove();
    });

    for (const row of HTTP_CASES) {
      const reason = except[row.id];
      for (const address of addressesOf(row, mode)) {
        const by = address === 'hash' ? ' (by its hashed name)' : '';
        if (reason !== undefined) test.skip(`${row.id}: ${row.says}${by}: ${reason}`);
        else test(`${row.id}: ${row.says}${by}`, () => checkCase(row, target, address));
      }
    }

    test('one connection does for everything, one request after the other', async () => {
      const connection = await Connection.open(target.url);
      const { etag } = await knownOf(target, 'app/picture.png');
      const picture = { target: '/static/app/picture.png' };
      const requests = [
        [200, picture],
        [200, { ...picture, method: 'HEAD' }],
        [304, { ...picture, headers: { 'If-None-Match': etag } }],
        [405, { ...picture, method: 'POST', body: 'x'.repeat(1000), headers: TEXT }],
        [416, { ...picture, headers: { Range: 'bytes=300000-' } }],
        [206, { ...picture, headers: { Range: 'bytes=0-9,20-29' } }],
        [412, { ...picture, headers: { 'If-Match': '"other"' } }],
        [404, { target: '/static/none' }],
        [404, { target: '/static/none', method: 'HEAD' }],
        [200, { target: '/page' }],
        [200, { target: '/static/app/empty.txt' }],
        [200, picture],
      ] as const;
      for (const [status, request] of requests) {
        const answer = await connection.ask(request);
        expect(answer.status, JSON.stringify(request)).toBe(status);
      }
      connection.close();
    });

    test('requests that are sent at once are answered in their order', async () => {
      const connection = await Connection.open(target.url);
      const names = ['app/film.mp4', 'app/small.css', 'app/picture.png', 'app/empty.txt'];
      const asked = [...names, ...names].map((name) => ({ target: `/static/${name}` }));
      connection.send(asked.map((request) => spelled(request)).join(''));
      for (const name of [...names, ...names]) {
        const { body } = await connection.answer();
        expect(body.equals(site.bytes(name, 'identity')), name).toBe(true);
      }
      connection.close();
    });

    test('many are answered at the same time', async () => {
      const names = ['app/film.mp4', 'app/picture.png', 'app/main.js', 'app/small.css'];
      const asked = Array.from({ length: 10 }, () => names).flat();
      const answers = asked.map((name) => askOnce(target.url, { target: `/static/${name}` }));
      for (const [at, { body }] of (await Promise.all(answers)).entries()) {
        expect(body.equals(site.bytes(asked[at] ?? '', 'identity')), asked[at]).toBe(true);
      }
    });

    test('the tags are the same after a restart', async () => {
      const again = await start(site.restarted());
      try {
        const other = { url: again.url, site };
        for (const name of ['app/site.css', 'app/film.mp4', 'app/small.css']) {
          for (const coding of site.codings(name)) {
            const [before, after] = [target, other].map((one) => knownOf(one, name, coding));
            expect((await after)?.etag).toBe((await before)?.etag);
          }
        }
      } finally {
        await again.close();
      }
    });

    test('each form of a file has a tag of its own', async () => {
      const codings = site.codings('app/main.js');
      const tags = codings.map(
        async (coding) => (await knownOf(target, 'app/main.js', coding)).etag,
      );
      expect(new Set(await Promise.all(tags)).size).toBe(COMPRESSED.includes(mode) ? 3 : 1);
    });
  });
}

const TEXT = { 'Content-Type': 'text/plain' };

function knownOf(
  target: HttpTarget,
  name: string,
  coding: 'identity' | 'br' | 'gzip' = 'identity',
) {
  return known({ target, address: 'name', name, coding });
}
