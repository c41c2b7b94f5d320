import { type IncomingHttpHeaders, type RequestListener, request } from 'node:http';
import { serve } from '../listen.js';

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks for a path as it is spelled; `fetch()` would tidy it first. */
export type Ask = (path: string, headers?: Record<string, string>, method?: string) => Promise<Got>;

/** Serves until the test is over. */
export async function asking(listener: RequestListener): Promise<Ask> {
  const { port } = new URL(await serve(listener));
  return (path, headers = {}, method = 'GET') =>
    new Promise((resolve, reject) => {
      const sent = request({ port, path, headers, method, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString('latin1');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      });
      sent.on('error', reject).end();
    });
}
