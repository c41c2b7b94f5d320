import { relative, resolve } from 'node:path';
import type { Coding } from './codings.js';
import type { Problem } from './errors.js';
import type { Finder } from './finder.js';
import { isGlob } from './globs.js';
import { normaliseName } from './names.js';
import { didYouMean, nearNames } from './near.js';
import { DEFAULTS, type Settings } from './settings.js';
import type { Storage } from './storage.js';
import { baseUrlFault, normaliseScriptName, resolveBaseUrl } from './urls.js';

/** Everything that is wrong with the settings as they are written, without a look at the disk. */
export function settingsProblems(settings: unknown): Problem[] {
  if (!isPlainObject(settings) || settings instanceof Promise) {
    const hint =
      settings instanceof Promise
        ? 'Write await before it, such as await loadConfig().'
        : undefined;
    return [fault('E100', `Settings must be an object, not ${kindOf(settings)}.`, hint)];
  }
  const problems = [...unknownKeys(settings)];
  for (const [key, check] of Object.entries(CHECKS)) {
    const value = settings[key];
    if (value !== undefined) problems.push(...check(value, key));
  }
  // What compares two settings needs each of them to be right.
  return problems.length > 0 ? problems : conflicts(settings as Settings);
}

function* unknownKeys(settings: object): Iterable<Problem> {
  for (const key of Object.keys(settings)) {
    if (Object.hasOwn(DEFAULTS, key)) continue;
    const option = DJANGO_OPTIONS.get(key);
    if (option !== undefined) {
      const hint = `It is an option here: storage: hashedStorage({ ${option} }).`;
      yield fault('E101', `'${key}' is no setting.`, hint);
      continue;
    }
    const django = DJANGO_NAMES.get(key);
    const near = django === undefined ? nearNames(key, Object.keys(DEFAULTS)) : [django];
    const hint = didYouMean(near.slice(0, 1)).trim();
    yield fault(
      'E101',
      `'${key}' is no setting.`,
      hint || `The settings are ${Object.keys(DEFAULTS).join(', ')}.`,
    );
  }
}

/** What people who come from Django type first. */
const DJANGO_NAMES: ReadonlyMap<string, keyof Settings> = new Map([
  ['STATIC_URL', 'staticUrl'],
  ['STATIC_ROOT', 'staticRoot'],
  ['STATICFILES_DIRS', 'dirs'],
  ['STATICFILES_FINDERS', 'finders'],
  ['STATICFILES_STORAGE', 'storage'],
  ['STORAGES', 'storage'],
  ['INSTALLED_APPS', 'apps'],
  ['MEDIA_URL', 'mediaUrl'],
  ['MEDIA_ROOT', 'mediaRoot'],
  ['DEBUG', 'debug'],
  ['ignore_patterns', 'ignore'],
  ['SCRIPT_NAME', 'scriptName'],
  ['FORCE_SCRIPT_NAME', 'scriptName'],
  ['WHITENOISE_IMMUTABLE_FILE_TEST', 'prehashed'],
  ['WHITENOISE_MAX_AGE', 'maxAge'],
  ['WHITENOISE_ADD_HEADERS_FUNCTION', 'headers'],
  ['WHITENOISE_ROOT', 'rootFiles'],
  ['BASE_DIR', 'baseDir'],
]);

/** Settings there that are options of `hashedStorage()` here. */
const DJANGO_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['WHITENOISE_KEEP_ONLY_HASHED_FILES', 'keepOriginals: false'],
  ['WHITENOISE_MANIFEST_STRICT', 'strict: false'],
]);

type Check = (value: unknown, key: string) => Problem[];

const CHECKS: { readonly [Key in keyof Required<Settings>]: Check } = {
  staticUrl: baseUrl,
  staticRoot: folder,
  dirs: sourceDirs,
  apps: listOf('folders', 'E103', folder),
  finders: listOf('finders', 'E108', (value, key) =>
    typeof value === 'function' || isFinder(value)
      ? []
      : [
          fault(
            'E108',
            `${key} must be a finder (with find() and list()), or a function that answers one, not ${kindOf(value)}.`,
            "Such as dirsFinder(), with its brackets, or packagesFinder({ bootstrap: 'dist' }).",
          ),
        ],
  ),
  storage: (value, key) =>
    typeof value === 'function' || isStorage(value)
      ? []
      : [
          fault(
            'E109',
            `${key} must be a storage (with read(), write(), list(), url() and the like), or a function that answers one, not ${kindOf(value)}.`,
            'Such as hashedStorage(), with its brackets.',
          ),
        ],
  mediaUrl: baseUrl,
  mediaRoot: folder,
  debug: type('boolean', 'E104'),
  ignore: listOf('shell patterns', 'E105', (value, key) =>
    typeof value === 'string' && value !== ''
      ? []
      : [fault('E105', `${key} must be a shell pattern such as '*.scss', not ${kindOf(value)}.`)],
  ),
  scriptName: (value, key) =>
    typeof value === 'string' &&
    !value.includes('://') &&
    baseUrlFault(normaliseScriptName(value)) === undefined
      ? []
      : [fault('E106', `${key} must be a path such as '/app', not ${kindOf(value)}.`)],
  references,
  prehashed: (value, key) => {
    if (typeof value === 'function') return [];
    return typeof value === 'string' ? glob(value, key) : prehashedGlobs(value, key);
  },
  compress: (value, key) => (typeof value === 'boolean' ? [] : codings(value, key)),
  maxAge: (value, key) =>
    Number.isSafeInteger(value) && (value as number) >= 0
      ? []
      : [fault('E107', `${key} must be a whole number of seconds from 0, not ${kindOf(value)}.`)],
  headers: (value, key) =>
    typeof value === 'function'
      ? []
      : [
          fault(
            'E117',
            `${key} must be a function (name, url) that answers header fields, not ${kindOf(value)}.`,
          ),
        ],
  rootFiles: folder,
  cache,
  fallthrough: type('boolean', 'E104'),
  baseDir: folder,
};

function cache(value: unknown, key: string): Problem[] {
  if (value === false) return [];
  if (!isPlainObject(value)) {
    return [
      fault('E118', `${key} must be { maxBytes, maxFileBytes } or false, not ${kindOf(value)}.`),
    ];
  }
  return Object.entries(value).flatMap(([option, bytes]) => {
    if (!Object.hasOwn(DEFAULTS.cache, option)) return [unknownOption(key, option, DEFAULTS.cache)];
    if (bytes === undefined || (Number.isSafeInteger(bytes) && (bytes as number) >= 0)) return [];
    const message = `${key}.${option} must be a whole number of bytes from 0, not ${kindOf(bytes)}.`;
    return [fault('E118', message)];
  });
}

function unknownOption(key: string, option: string, known: object): Problem {
  const names = Object.keys(known);
  const near = nearNames(option, names).slice(0, 1);
  const message = `${key}.${option} is no option; there are ${names.join(' and ')}.`;
  return fault('E101', message, didYouMean(near).trim());
}

const MISSING: readonly unknown[] = ['warn', 'error', undefined];

function references(value: unknown, key: string): Problem[] {
  if (!isPlainObject(value)) {
    return [fault('E114', `${key} must be { missing, ignore }, not ${kindOf(value)}.`)];
  }
  const { missing, ignore, ...others } = value;
  const problems = Object.keys(others).map((other) =>
    unknownOption(key, other, DEFAULTS.references),
  );
  if (!MISSING.includes(missing)) {
    const message = `${key}.missing must be 'warn' or 'error', not ${kindOf(missing)}.`;
    problems.push(fault('E114', message));
  }
  if (ignore !== undefined) problems.push(...ignoredReferences(ignore, `${key}.ignore`));
  return problems;
}

const ignoredReferences = listOf("'file glob:target glob'", 'E114', (value, key) =>
  isPairOfGlobs(value)
    ? []
    : [
        fault(
          'E114',
          `${key} must be 'file glob:target glob' such as 'vendor/**:*.png', not ${kindOf(value)}.`,
        ),
      ],
);

function isPairOfGlobs(value: unknown): boolean {
  const globs = typeof value === 'string' ? value.split(':') : [];
  return globs.length === 2 && globs.every(isGlob);
}

function glob(value: unknown, key: string): Problem[] {
  if (isGlob(value)) return [];
  const message = `${key} must be a glob such as 'assets/**', not ${kindOf(value)}.`;
  const negated = typeof value === 'string' && value.startsWith('!');
  return [fault('E115', message, negated ? 'Globs say what is meant; else write a function.' : '')];
}

const prehashedGlobs = listOf('globs, one of them, or a function', 'E115', glob);

const CODINGS: readonly unknown[] = ['br', 'gzip', 'zstd'] satisfies Coding[];

function codings(value: unknown, key: string): Problem[] {
  if (!Array.isArray(value)) {
    const message = `${key} must be true, false, or a list such as ['br', 'gzip'], not ${kindOf(value)}.`;
    return [fault('E116', message)];
  }
  return value.flatMap((coding: unknown, index) => {
    const place = `${key}[${index}]`;
    if (!CODINGS.includes(coding)) {
      return [fault('E116', `${place} must be 'br', 'gzip' or 'zstd', not ${kindOf(coding)}.`)];
    }
    if (value.indexOf(coding) < index) {
      return [fault('E116', `${place} is '${coding}' once more.`, 'Name each coding once.')];
    }
    return coding === 'zstd' && !hasZstd() ? [noZstd(place)] : [];
  });
}

/** Not imported: a start needs no zlib unless this coding is asked for. */
function hasZstd(): boolean {
  return 'zstdCompress' in process.getBuiltinModule('node:zlib');
}

function noZstd(place: string): Problem {
  const message = `${place} is 'zstd', which Node ${process.version} cannot write.`;
  return fault('E116', message, "Node 22.15 and later can; or leave it out: ['br', 'gzip'].");
}

function baseUrl(value: unknown, key: string): Problem[] {
  if (typeof value !== 'string') {
    return [fault('E102', `${key} must be a string such as '/static/', not ${kindOf(value)}.`)];
  }
  const why = baseUrlFault(value);
  if (why === undefined) return [];
  const hint = value.endsWith('/') ? undefined : `Write '${value}/'.`;
  return [fault('E102', `${key} ${why}: '${value}'.`, hint)];
}

function folder(value: unknown, key: string): Problem[] {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    const hint = value instanceof URL ? 'Write fileURLToPath(…) of node:url.' : undefined;
    return [fault('E103', `${key} must be the path of a folder, not ${kindOf(value)}.`, hint)];
  }
  return [];
}

function sourceDirs(value: unknown, key: string): Problem[] {
  if (!Array.isArray(value)) {
    return [
      fault(
        'staticfiles.E001',
        `${key} must be an array, not ${kindOf(value)}.`,
        "Write dirs: ['…'].",
      ),
    ];
  }
  return value.flatMap((entry: unknown, index) => sourceDir(entry, `${key}[${index}]`));
}

function sourceDir(entry: unknown, key: string): Problem[] {
  if (typeof entry === 'string' || entry instanceof URL) return folder(entry, key);
  if (!isPlainObject(entry) || typeof entry.prefix !== 'string') {
    return [
      fault(
        'E103',
        `${key} must be the path of a folder or { prefix, dir }, not ${kindOf(entry)}.`,
        Array.isArray(entry) ? "Write { prefix: 'vendor', dir: 'path' }." : undefined,
      ),
    ];
  }
  const { prefix, dir, ...others } = entry;
  const problems = folder(dir, `${key}.dir`);
  for (const other of Object.keys(others)) {
    problems.push(fault('E101', `${key}.${other} is no option; there are prefix and dir.`));
  }
  if (prefix.endsWith('/')) {
    problems.push(
      fault(
        'staticfiles.E003',
        `The prefix '${prefix}' in ${key} must not end in a slash.`,
        `Write '${prefix.replace(/\/+$/, '')}'.`,
      ),
    );
  } else if (!isSafe(prefix)) {
    problems.push(fault('E103', `The prefix '${prefix}' in ${key} is no name of a folder.`));
  }
  return problems;
}

function isSafe(prefix: string): boolean {
  try {
    return normaliseName(prefix) === prefix;
  } catch {
    return false; // the only question is whether it is one; the caller says what is wrong
  }
}

function conflicts(settings: Settings): Problem[] {
  const problems: Problem[] = [];
  const script = settings.scriptName ?? DEFAULTS.scriptName;
  const { mediaUrl, staticUrl = DEFAULTS.staticUrl } = settings;
  if (
    mediaUrl !== undefined &&
    resolveBaseUrl(mediaUrl, script) === resolveBaseUrl(staticUrl, script)
  ) {
    problems.push(fault('E110', `mediaUrl and staticUrl must differ; both are '${staticUrl}'.`));
  }
  const baseDir = resolve(settings.baseDir ?? '.');
  const root =
    settings.staticRoot === undefined ? undefined : resolve(baseDir, settings.staticRoot);
  if (root === undefined) return problems;
  // `relative`, for file systems where two spellings are one path.
  if (
    settings.mediaRoot !== undefined &&
    relative(root, resolve(baseDir, settings.mediaRoot)) === ''
  ) {
    problems.push(fault('E110', `mediaRoot and staticRoot must differ; both are '${root}'.`));
  }
  for (const entry of settings.dirs ?? []) {
    const dir = resolve(baseDir, typeof entry === 'string' ? entry : entry.dir);
    if (relative(root, dir) === '') {
      problems.push(
        fault(
          'staticfiles.E002',
          `dirs must not contain staticRoot: '${root}'.`,
          'Sources are collected from dirs into staticRoot; give them folders of their own.',
        ),
      );
    }
  }
  return problems;
}

function listOf(what: string, id: string, check: Check): Check {
  return (value, key) =>
    Array.isArray(value)
      ? value.flatMap((entry: unknown, index) => check(entry, `${key}[${index}]`))
      : [fault(id, `${key} must be an array of ${what}, not ${kindOf(value)}.`)];
}

function type(expected: 'boolean', id: string): Check {
  return (value, key) =>
    typeof value === expected
      ? []
      : [fault(id, `${key} must be true or false, not ${kindOf(value)}.`)];
}

function fault(id: string, message: string, hint?: string): Problem {
  const full = id.includes('.') ? id : `staticfiles.${id}`;
  return { id: full, level: 'error', message, ...(hint ? { hint } : {}) };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isFinder(value: unknown): value is Finder {
  return hasFunctions(value, ['find', 'list']);
}

export function isStorage(value: unknown): value is Storage {
  return hasFunctions(value, ['read', 'write', 'delete', 'exists', 'stat', 'list', 'url']);
}

function hasFunctions(value: unknown, names: readonly string[]): boolean {
  return isPlainObject(value) && names.every((name) => typeof value[name] === 'function');
}

/** What a value is, in a message that says what it should have been. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return value === '' ? 'an empty string' : `'${value}'`;
  if (value instanceof Promise) return 'a promise';
  if (typeof value === 'object') return value instanceof URL ? 'a URL' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
