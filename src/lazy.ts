import { type NodeHandler, takesFaults } from './next.js';

/** Builds a part on its first use. */
export function lazy<T>(build: () => T): () => T {
  let built: { readonly value: T } | undefined;
  return () => {
    built ??= { value: build() };
    return built.value;
  };
}

/** A handler whose modules are loaded at the first request. */
export function loadedOnce(load: () => Promise<NodeHandler>): NodeHandler {
  let handler: NodeHandler | undefined;
  const loading = lazy(load);
  return (request, response, next) => {
    if (handler) return handler(request, response, next);
    loading().then(
      (loaded) => {
        handler = loaded;
        loaded(request, response, next);
      },
      (error: unknown) => {
        if (takesFaults(next)) return next(error);
        console.error(error);
        response.writeHead(500).end();
      },
    );
  };
}
