import { validateHeaderName, validateHeaderValue } from 'node:http';
import { reason, SetupError } from './errors.js';

/** What the bytes are, and how they are sent. */
const OURS: ReadonlySet<string> = new Set([
  'accept-ranges',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'date',
  'etag',
  'keep-alive',
  'last-modified',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * What the setting `headers` answers for a file.
 *
 * @throws {SetupError} for what can be no header field, or is for the one who answers to say.
 */
export function checkedFields(given: unknown, name: string): Readonly<Record<string, string>> {
  const refuse = (why: string, options?: ErrorOptions) => {
    throw new SetupError(`The setting headers answers for '${name}' ${why}.`, options);
  };
  if (given instanceof Promise) {
    given.catch(() => {}); // what it is, is said here already
    refuse('a promise; it must answer at once');
  }
  if (given !== undefined && (typeof given !== 'object' || given === null)) {
    refuse(`${String(given)}, and must answer an object of header fields`);
  }
  const fields: Record<string, string> = {};
  for (const [field, value] of Object.entries(given ?? {})) {
    if (value === undefined) continue;
    if (OURS.has(field.toLowerCase())) refuse(`the field ${field}, which is not for it to say`);
    try {
      validateHeaderName(field);
      validateHeaderValue(field, value);
      fields[field] = String(value);
    } catch (cause) {
      refuse(`what is no header field: ${reason(cause)}`, { cause });
    }
  }
  return fields;
}
