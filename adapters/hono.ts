import type { MiddlewareHandler } from 'hono';
import type { StaticFiles } from '../src/index.js';
import { checkFiles } from '../src/options.js';

/** What handlers find in `c.var` behind it: functions from a name to its URL. */
export interface StaticVariables {
  readonly static: StaticFiles['staticUrl'];
  readonly media: StaticFiles['mediaUrl'];
}

declare module 'hono' {
  interface ContextVariableMap extends StaticVariables {}
}

/**
 * Serves static files, and in development uploaded ones: `app.use(serveStatic(files))`. Requests for
 * others are the next handler's, and faults `app.onError()`'s. Pages get URLs from
 * `c.var.static(name)` and `c.var.media(name)`.
 *
 * @throws {SetupError} where there are no files.
 */
export function serveStatic(files: StaticFiles): MiddlewareHandler<{ Variables: StaticVariables }> {
  checkFiles('serveStatic(files)', files);
  return async (context, next) => {
    context.set('static', files.staticUrl);
    context.set('media', files.mediaUrl);
    return (await files.fetch(context.req.raw)) ?? next();
  };
}
