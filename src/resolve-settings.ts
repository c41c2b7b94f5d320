import { resolve } from 'node:path';
import type { Coding } from './codings.js';
import { SettingsError } from './errors.js';
import { normaliseName } from './names.js';
import { DEFAULTS, type ResolvedSettings, type Settings } from './settings.js';
import { settingsProblems } from './settings-checks.js';
import { normaliseScriptName, resolveBaseUrl } from './urls.js';

/**
 * Checks the settings and fills in the defaults. The caller's object is left as it is.
 *
 * @throws {SettingsError} with every fault in it.
 */
export function resolveSettings(settings: Settings = {}): ResolvedSettings {
  const errors = settingsProblems(settings).filter(({ level }) => level === 'error');
  if (errors.length > 0) throw new SettingsError(errors);
  const baseDir = resolve(settings.baseDir ?? '.');
  const path = (value: string) => resolve(baseDir, value);
  const scriptName = settings.scriptName ?? DEFAULTS.scriptName;
  const url = (value: string) => resolveBaseUrl(value, scriptName);
  return Object.freeze({
    staticUrl: url(settings.staticUrl ?? DEFAULTS.staticUrl),
    staticRoot: settings.staticRoot === undefined ? undefined : path(settings.staticRoot),
    dirs: (settings.dirs ?? DEFAULTS.dirs).map((entry) =>
      typeof entry === 'string'
        ? { prefix: '', dir: path(entry) }
        : { prefix: normaliseName(entry.prefix), dir: path(entry.dir) },
    ),
    apps: (settings.apps ?? DEFAULTS.apps).map(path),
    finders: settings.finders && [...settings.finders],
    storage: settings.storage,
    mediaUrl: settings.mediaUrl === undefined ? '' : url(settings.mediaUrl),
    mediaRoot: settings.mediaRoot === undefined ? undefined : path(settings.mediaRoot),
    debug: settings.debug ?? process.env.NODE_ENV !== 'production',
    ignore: Object.freeze([...(settings.ignore ?? DEFAULTS.ignore)]),
    scriptName: normaliseScriptName(scriptName),
    references: Object.freeze({
      missing: settings.references?.missing ?? DEFAULTS.references.missing,
      ignore: Object.freeze([...(settings.references?.ignore ?? DEFAULTS.references.ignore)]),
    }),
    prehashed: prehashed(settings.prehashed),
    compress: Object.freeze(codings(settings.compress ?? DEFAULTS.compress)),
    maxAge: settings.maxAge ?? DEFAULTS.maxAge,
    headers: settings.headers,
    rootFiles: settings.rootFiles === undefined ? undefined : path(settings.rootFiles),
    cache: Object.freeze(cacheOf(settings.cache)),
    fallthrough: settings.fallthrough ?? DEFAULTS.fallthrough,
    baseDir,
  });
}

function prehashed(value: Settings['prehashed']): ResolvedSettings['prehashed'] {
  if (value === undefined || typeof value === 'function') return value;
  return Object.freeze(typeof value === 'string' ? [value] : [...value]);
}

function cacheOf(value: Settings['cache']): ResolvedSettings['cache'] {
  if (value === false) return { maxBytes: 0, maxFileBytes: 0 };
  const { maxBytes = DEFAULTS.cache.maxBytes, maxFileBytes = DEFAULTS.cache.maxFileBytes } = {
    ...value,
  };
  return { maxBytes, maxFileBytes };
}

function codings(value: NonNullable<Settings['compress']>): Coding[] {
  if (typeof value === 'boolean') return value ? ['br', 'gzip'] : [];
  return [...value];
}
