import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Imports a module of the user's, TypeScript too, and answers its exports. Node 20 does not run
 * TypeScript and later ones only a part of it, so a loader made for configuration files does.
 */
export async function importModule(path: string): Promise<Record<string, unknown>> {
  if (!/^\.[cm]?tsx?$/.test(extname(path))) return import(pathToFileURL(path).href);
  const { createJiti } = await import('jiti');
  // This package stays the one that Node has loaded, so that its error classes are the same.
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    interopDefault: false,
    nativeModules: ['staticfiles'],
  });
  return jiti.import(path);
}

/** What a module exports as its default; of CommonJS that was compiled from ESM as well. */
export function defaultExport(module: Record<string, unknown>): unknown {
  const value = module.default;
  const compiled = typeof value === 'object' && value !== null && '__esModule' in value;
  return compiled && 'default' in value ? value.default : value;
}
