import { statSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { resolve } from 'node:path';
import { importFault } from '../import-fault.js';
import { defaultExport, importModule } from '../import-module.js';
import { ACCEPTED, ApplicationError, kindOf, listenerOf } from '../listener.js';

/**
 * Imports an application's module, TypeScript too, and answers what handles its requests.
 *
 * @throws {ApplicationError} where the module does not load or exports no application.
 */
export async function loadApplication(path: string, cwd: string): Promise<RequestListener> {
  const file = applicationFile(path, cwd);
  let application: unknown;
  try {
    application = await defaultExport(await importModule(file));
  } catch (cause) {
    throw new ApplicationError(`The application ${await importFault(cause, file)}`, { cause });
  }
  const listener = await listenerOf(application);
  if (listener === undefined) {
    const what =
      application === undefined ? 'has no default export' : `exports ${kindOf(application)}`;
    throw new ApplicationError(
      `The application ${file} ${what}. It must export as its default ${ACCEPTED}`,
    );
  }
  return listener;
}

/** The file of an application's module. @throws {ApplicationError} where there is none. */
export function applicationFile(path: string, cwd: string): string {
  const file = resolve(cwd, path);
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  throw new ApplicationError(`There is no application ${file}. Name the file of its module.`);
}
