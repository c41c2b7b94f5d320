import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StaticFiles } from '../src/index.js';
import { checkFiles } from '../src/options.js';

/** What is needed of a context of Koa. */
export interface KoaContext {
  readonly req: IncomingMessage & { originalUrl?: string };
  readonly res: ServerResponse;
  readonly originalUrl: string;
  readonly state: object;
  respond?: boolean | undefined;
}

/** A middleware of Koa. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown>;

/**
 * Serves static files, and in development uploaded ones: `app.use(serveStatic(files))`. It goes on
 * when the answer has been sent, so what runs before it sees the status, and sets no headers then.
 * `ctx.state` gets `static(name)` and `media(name)`, which answer URLs, for templates.
 *
 * @throws {SetupError} where there are no files.
 */
export function serveStatic(files: StaticFiles): KoaMiddleware {
  checkFiles('serveStatic(files)', files);
  return async (context, next) => {
    const { req, res, state } = context;
    Object.assign(state, { static: files.staticUrl, media: files.mediaUrl, ...state });
    req.originalUrl ??= context.originalUrl; // koa-mount shortens `url`, and keeps the whole elsewhere
    const isAnswered = await new Promise<boolean>((resolve, reject) => {
      res.once('close', () => resolve(true));
      files.handler(req, res, (error) => (error === undefined ? resolve(false) : reject(error)));
    });
    if (!isAnswered) return next();
    context.respond = false;
  };
}
