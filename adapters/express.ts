import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Next, StaticFiles } from '../src/index.js';
import { checkFiles } from '../src/options.js';

/** What is needed of a response of Express. */
export interface ExpressResponse extends ServerResponse {
  readonly locals: Record<string, unknown>;
  readonly app: { readonly locals: object };
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
 * `response.locals`; what the application or an earlier middleware calls so stays.
 *
 * @throws {SetupError} where there are no files.
 */
export function serveStatic(files: StaticFiles): ExpressMiddleware {
  checkFiles('serveStatic(files)', files);
  const urls = { static: files.staticUrl, media: files.mediaUrl };
  return (request, response, next) => {
    const { locals, app } = response;
    for (const [name, url] of Object.entries(urls)) {
      if (!(name in locals || name in app.locals)) locals[name] = url;
    }
    files.handler(request, response, next);
  };
}
