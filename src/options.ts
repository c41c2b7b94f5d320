import { isUint8Array } from 'node:util/types';
import { SetupError } from './errors.js';
import { didYouMean, nearNames } from './near.js';
import { baseUrlFault, resolveBaseUrl } from './urls.js';

/**
 * Refuses options that `owner` does not know, so that a misspelt one does not pass for its default.
 *
 * @throws {SetupError} with the nearest known option.
 */
export function checkOptions(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new SetupError(`${owner} takes an object of options: { ${known.join(', ')} }.`);
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearNames(key, known).slice(0, 1);
    throw new SetupError(
      `'${key}' is no option of ${owner}.${didYouMean(near) || ` There are ${known.join(', ')}.`}`,
    );
  }
}

/**
 * The same for what is handed on to somebody who may know more: others pass, unless they look like one
 * that is known.
 *
 * @throws {SetupError} with the option that it looks like.
 */
export function checkSpelling(owner: string, options: unknown, known: readonly string[]): void {
  const unknown = Object.keys(Object(options)).filter((key) => !known.includes(key));
  const others = unknown.filter((key) => nearNames(key, known).length === 0);
  checkOptions(owner, options, [...known, ...others]);
}

/** Refuses an option of `owner` that can be no permissions. @throws {SetupError} */
export function checkMode(owner: string, key: string, mode: unknown): void {
  if (mode === undefined) return;
  if (!Number.isInteger(mode) || (mode as number) < 0 || (mode as number) > 0o7777) {
    throw new SetupError(`${owner}'s ${key} must be a mode such as 0o644.`);
  }
}

/**
 * Refuses what a storage is to write as `name` where it is no bytes.
 *
 * @throws {SetupError}
 */
export function checkBody(name: string, body: unknown): asserts body is Uint8Array {
  if (isUint8Array(body)) return;
  throw new SetupError(
    `'${name}' cannot be written: a body must be a Uint8Array, such as a Buffer, not ${kindOfBody(body)}.`,
  );
}

/** `a string`, `an ArrayBuffer`, `undefined`: its content is nobody's concern. */
function kindOfBody(body: unknown): string {
  if (body === null || body === undefined) return String(body);
  const kind = Object.prototype.toString.call(body).slice('[object '.length, -1);
  const name = ['String', 'Number', 'Boolean', 'Array', 'Object', 'Promise'].includes(kind)
    ? kind.toLowerCase()
    : kind;
  return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`;
}

/**
 * Refuses what is not a project's static files where a `call` such as `serveStatic(files)` needs them.
 *
 * @throws {SetupError}
 */
export function checkFiles(call: string, files: unknown): void {
  if (typeof (files as { staticUrl?: unknown } | undefined | null)?.staticUrl === 'function')
    return;
  throw new SetupError(`${call} takes what createStaticFiles() answers.`);
}

/**
 * The option `baseUrl` of `owner`, complete; `undefined` where it is not given.
 *
 * @throws {SetupError} for what can be no base URL.
 */
export function baseUrlOption(owner: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') {
    throw new SetupError(`${owner}'s baseUrl must be a string such as '/static/', not ${value}.`);
  }
  const why = baseUrlFault(value);
  if (why !== undefined) throw new SetupError(`${owner}'s baseUrl ${why}: '${value}'.`);
  return resolveBaseUrl(value, '/');
}
