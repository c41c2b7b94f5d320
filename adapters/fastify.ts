import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import type { StaticFiles } from '../src/index.js';
import { checkFiles } from '../src/options.js';

declare module 'fastify' {
  interface FastifyReply {
    staticUrl: StaticFiles['staticUrl'];
    mediaUrl: StaticFiles['mediaUrl'];
  }
}

/**
 * Serves static files, and in development uploaded ones, in front of all routes:
 * `app.register(serveStatic, { files })`. `reply.staticUrl(name)` and `reply.mediaUrl(name)` answer
 * URLs, as `static(name)` and `media(name)` do in the templates of @fastify/view.
 */
export const serveStatic: FastifyPluginAsync<{ files: StaticFiles }> = async (app, { files }) => {
  checkFiles('register(serveStatic, { files })', files);
  app.decorateReply('staticUrl', files.staticUrl);
  app.decorateReply('mediaUrl', files.mediaUrl);
  if (!app.hasReplyDecorator('locals')) app.decorateReply('locals', null); // as @fastify/view does
  app.addHook('onRequest', (request, reply: FastifyReply & { locals?: object | null }, next) => {
    reply.locals = { static: files.staticUrl, media: files.mediaUrl, ...reply.locals };
    // The answer is written without `reply`, with the headers that others have given it, as CORS's.
    const early = Object.entries(reply.getHeaders()).filter(([name]) => !reply.raw.hasHeader(name));
    for (const [name, value] of early) if (value !== undefined) reply.raw.setHeader(name, value);
    files.handler(request.raw, reply.raw, (error) => {
      for (const [name] of early) reply.raw.removeHeader(name);
      next(error as Error | undefined);
    });
  });
};

Object.assign(serveStatic, {
  [Symbol.for('skip-override')]: true, // for the whole application, not for the plugin alone
  [Symbol.for('plugin-meta')]: { name: 'staticfiles', fastify: '5.x' },
});

// biome-ignore lint/style/noDefaultExport: `register(import(…))` and @fastify/autoload take it.
export default serveStatic;
