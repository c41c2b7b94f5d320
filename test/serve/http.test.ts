import { describe, expect, it } from 'vitest';
import { APPLICATION, describeHttp, HTTP_CASES, type HttpWay } from '../contracts/http.js';
import { listen } from '../listen.js';
import { listenFetch } from './http/bridge.js';
import { MODES } from './http/site.js';

describe('the cases', () => {
  it('have an id each', () => {
    const ids = HTTP_CASES.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });
});

const handler: HttpWay = {
  start: (files) =>
    listen((request, response) => {
      files.handler(request, response, (error) => {
        response.statusCode = error === undefined ? 200 : 500;
        response.end(error === undefined ? APPLICATION : String(error));
      });
    }),
};
const web: HttpWay = { start: (files) => listenFetch(files.fetch) };

/** Everything but what is small is sent from the disk then. */
const uncached = { modes: ['plain', 'compressed', 'hashed'], settings: { cache: false } } as const;

describeHttp('files.handler of node:http', { ...handler, modes: [...MODES, 'compressed'] });
describeHttp('files.handler of node:http, without a cache', { ...handler, ...uncached });
describeHttp('files.fetch', { ...web, modes: [...MODES, 'compressed'] });
describeHttp('files.fetch, without a cache', { ...web, ...uncached });
