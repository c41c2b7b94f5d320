import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Next, StaticFiles } from '../src/index.js';
import { checkFiles } from '../src/options.js';

/** What is needed of a response of Express. */
export interface ExpressResponse extends ServerResponse {
  readonly locals: Record<string, unknown>;
}

/** A middleware of Express 4 and 5. */
export type ExpressMiddleware = (
  request: IncomingMessage,
  response: ExpressResponse,
  next: Next,
) => void;

/**
 * Serves static files, and in development uploaded ones: `app.use(serveStatic(files))`. Requests for
 * others are the next middleware's, and faults the error handlers'.
 *
 * The templates of every view engine have `static(name)` and `media(name)`, which answer URLs, by
 * `response.locals`; what an earlier middleware has put there stays.
 *
 * @throws {SetupError} where there are no files.
 */
export function serveStatic(files: StaticFiles): ExpressMiddleware {
  checkFiles('serveStatic(files)', files);
  return (request, response, next) => {
    response.locals.static ??= files.staticUrl;
    response.locals.media ??= files.mediaUrl;
    files.handler(request, response, next);
  };
}
