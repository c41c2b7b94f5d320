import type { ServerResponse } from 'node:http';
import { type NodeHandler, takesFaults } from './next.js';

/** Builds a part on its first use. */
export function lazy<T>(build: () => T): () => T {
  let built: { readonly value: T } | undefined;
  return () => {
    built ??= { value: build() };
    return built.value;
  };
}

/** The same for what takes time; where it fails, the next use tries again. */
export function lazyAsync<T>(build: () => Promise<T>): () => Promise<T> {
  let building: Promise<T> | undefined;
  return () => {
    building ??= build().catch((error: unknown) => {
      building = undefined;
      throw error;
    });
    return building;
  };
}

/** A handler whose modules are loaded at the first request. */
export function loadedOnce(load: () => Promise<NodeHandler>): NodeHandler {
  let handler: NodeHandler | undefined;
  const loading = lazyAsync(load);
  return (request, response, next) => {
    if (handler) return handler(request, response, next);
    loading().then(
      (loaded) => {
        handler = loaded;
        loaded(request, response, next);
      },
      (error: unknown) => (takesFaults(next) ? next(error) : tell(error, response)),
    );
  };
}

/** Where there is nobody to hand the fault to. */
function tell(error: unknown, response: ServerResponse): void {
  console.error(error);
  if (response.headersSent) return;
  response.writeHead(500, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  response.end('Internal server error\n');
}
