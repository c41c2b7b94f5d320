import { PARTIAL, STATE_FOLDER } from '../names.js';
import type { Storage } from '../storage.js';
import { basePath } from '../urls.js';
import type { Route } from './route.js';

/** Production: files as they were collected into a storage on this machine. */
export function collectedRoute(staticUrl: string, storage: Storage, maxAge: number): Route {
  const cacheControl = `public, max-age=${maxAge}`;
  return {
    prefix: basePath(staticUrl),
    locate(name) {
      if (name === storage.hashing?.manifestName || name.startsWith(`${STATE_FOLDER}/`))
        return undefined;
      if (name.slice(name.lastIndexOf('/') + 1).startsWith(PARTIAL)) return undefined;
      const path = storage.path?.(name);
      return path === undefined ? undefined : { path, cacheControl };
    },
  };
}
