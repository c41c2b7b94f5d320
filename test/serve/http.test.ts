import { describe, expect, it } from 'vitest';
import { APPLICATION, describeHttp, HTTP_CASES } from '../contracts/http.js';
import { listen, listenFetch } from './http/bridge.js';

describe('the cases', () => {
  it('have an id each', () => {
    const ids = HTTP_CASES.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });
});

describeHttp('files.handler of node:http', {
  start: (files) =>
    listen((request, response) => {
      files.handler(request, response, (error) => {
        response.statusCode = error === undefined ? 200 : 500;
        response.end(error === undefined ? APPLICATION : String(error));
      });
    }),
});

describeHttp('files.fetch', { start: (files) => listenFetch(files.fetch) });
