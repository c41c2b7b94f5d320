import { SetupError } from './errors.js';
import type { Settings } from './settings.js';
import { createStaticFiles, type StaticFiles } from './static-files.js';

let files: StaticFiles | undefined;

/**
 * Sets the static files that the module's own `staticUrl()` and `mediaUrl()` speak of, from settings
 * or from what `createStaticFiles()` answered, and answers them.
 *
 * @throws {SettingsError} with everything that is wrong with the settings.
 */
export function configure(settings: Settings | StaticFiles): StaticFiles {
  files = isStaticFiles(settings) ? settings : createStaticFiles(settings);
  return files;
}

/** The URL of a static file by the configured settings. @throws as `StaticFiles.staticUrl()` */
export function staticUrl(name: string): string {
  return configured('staticUrl').staticUrl(name);
}

/** The URL of an uploaded file by the configured settings. @throws as `StaticFiles.mediaUrl()` */
export function mediaUrl(name: string): string {
  return configured('mediaUrl').mediaUrl(name);
}

function configured(caller: string): StaticFiles {
  if (files !== undefined) return files;
  throw new SetupError(
    `${caller}() was called before configure(). Call configure({ … }) or configure(await loadConfig()) when the program starts.`,
  );
}

function isStaticFiles(value: Settings | StaticFiles): value is StaticFiles {
  return typeof value?.staticUrl === 'function';
}
