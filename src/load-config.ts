import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError, SettingsError, systemCode } from './errors.js';
import { checkOptions } from './options.js';
import type { Settings } from './settings.js';
import { settingsProblems } from './settings-checks.js';

/** The names of configuration files, in the order in which they are looked for. */
export const CONFIG_FILES: readonly string[] = Object.freeze(
  ['ts', 'mts', 'js', 'mjs', 'cjs'].map((extension) => `staticfiles.config.${extension}`),
);

export interface LoadConfigOptions {
  /** The configuration file. @default the first `staticfiles.config.*` from `cwd` upwards */
  readonly file?: string | undefined;
  /** Where looking begins. @default the working directory */
  readonly cwd?: string | undefined;
  /** The environment that may override the file. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** The environment variables that override the file's settings. */
const VARIABLES = [
  ['STATIC_URL', 'staticUrl'],
  ['STATIC_ROOT', 'staticRoot'],
  ['MEDIA_URL', 'mediaUrl'],
  ['MEDIA_ROOT', 'mediaRoot'],
] as const;

/**
 * Finds and loads the project's settings. Relative paths in the file are relative to its folder;
 * those in the environment variables STATIC_ROOT and MEDIA_ROOT, to the working directory.
 *
 * @throws {ConfigError} where there is no file, or it throws, or exports no settings.
 * @throws {SettingsError} with every fault in the settings, and the file that they are in.
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<Settings> {
  checkOptions('loadConfig()', options, ['file', 'cwd', 'env']);
  const cwd = resolve(options.cwd ?? '.');
  const file = configFile(options);
  const settings = await readSettings(file);
  const fromEnvironment = overrides(options.env ?? process.env, cwd);
  const { baseDir = '.' } = settings;
  const complete = {
    ...settings,
    // What is no string is told with the other faults.
    baseDir: typeof baseDir === 'string' ? resolve(dirname(file), baseDir) : baseDir,
    ...fromEnvironment.settings,
  };
  checkSettings(complete, file, fromEnvironment.variables);
  return complete;
}

function checkSettings(settings: Settings, file: string, variables: readonly string[]): void {
  const errors = settingsProblems(settings).filter(({ level }) => level === 'error');
  if (errors.length === 0) return;
  const from = variables.length > 0 ? `, with ${variables.join(', ')} from the environment` : '';
  throw new SettingsError(
    errors.map((problem) => ({ ...problem, message: `${file}${from}: ${problem.message}` })),
  );
}

/** The configuration file that `loadConfig()` reads. @throws {ConfigError} where there is none. */
export function configFile({ file, cwd = '.' }: Pick<LoadConfigOptions, 'file' | 'cwd'>): string {
  return file === undefined ? findConfig(resolve(cwd)) : chosen(resolve(cwd, file));
}

function findConfig(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const found = CONFIG_FILES.map((name) => join(folder, name)).find(isFile);
    if (found !== undefined) return found;
    if (folder === dirname(folder)) break;
  }
  throw new ConfigError(
    `There is no ${CONFIG_FILES.join(', ')} in ${cwd} or above. Write one, such as\n\n  export default { dirs: ['static'], staticRoot: 'collected' };\n\nor name one with --config.`,
    undefined,
  );
}

function chosen(file: string): string {
  if (isFile(file)) return file;
  throw new ConfigError(`The configuration file ${file} does not exist.`, file);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}

async function readSettings(file: string): Promise<Settings> {
  const { defaultExport, importModule } = await import('./import-module.js');
  let exported: Record<string, unknown>;
  let value: unknown;
  try {
    exported = await importModule(file);
    value = await defaultExport(exported);
  } catch (cause) {
    const { importFault } = await import('./import-fault.js');
    throw new ConfigError(await importFault(cause, file), file, { cause });
  }
  const why = whyNoSettings(value, exported, file);
  if (why === undefined) return value as Settings;
  throw new ConfigError(
    `${file} ${why}. It must export settings as its default: export default { dirs: ['static'] };`,
    file,
  );
}

function whyNoSettings(value: unknown, exported: object, file: string): string | undefined {
  if (value === undefined) {
    const names = Object.keys(exported).filter((name) => name !== 'default');
    return names.length > 0 ? `has no default export, only ${names.join(', ')}` : 'exports nothing';
  }
  if (typeof value !== 'object' || value === null) {
    return `exports ${value === null ? 'null' : `a ${typeof value}`}`;
  }
  if (Array.isArray(value)) return 'exports an array';
  if ('staticUrl' in value && typeof value.staticUrl === 'function') {
    return 'exports static files that are made already, and not their settings';
  }
  // A CommonJS file that exports nothing gives an empty object, as one does that exports `{}`.
  const empty = Object.keys(value).length === 0 && !readFileSync(file, 'utf8').includes('export');
  return empty ? 'exports nothing' : undefined;
}

/** What the environment sets, and the variables that do. */
function overrides(env: Readonly<Record<string, string | undefined>>, cwd: string) {
  const settings: { [Key in (typeof VARIABLES)[number][1]]?: string } = {};
  const variables: string[] = [];
  for (const [variable, key] of VARIABLES) {
    const value = env[variable];
    if (!value) continue; // an empty variable is how shells and compose files say "not set"
    settings[key] = key.endsWith('Root') ? resolve(cwd, value) : value;
    variables.push(variable);
  }
  return { settings, variables };
}
