import { pathUnder } from '../names.js';
import type { Sources } from '../sources.js';
import { basePath } from '../urls.js';
import type { Route } from './route.js';

/** Browsers may keep what is being worked on, and must ask each time whether it is still so. */
const CACHE_CONTROL = 'no-cache';

/** Development: static files as the finders find them at this moment. */
export function liveRoute(staticUrl: string, sources: Sources): Route {
  return {
    prefix: basePath(staticUrl),
    locate(name) {
      const [found] = sources.find(name);
      return found && { path: found.path, cacheControl: CACHE_CONTROL };
    },
  };
}

/** Development: uploaded files as they lie in their folder. */
export function mediaRoute(mediaUrl: string, mediaRoot: string): Route {
  return {
    prefix: basePath(mediaUrl),
    locate: (name) => ({ path: pathUnder(mediaRoot, name), cacheControl: CACHE_CONTROL }),
  };
}
