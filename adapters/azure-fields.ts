import type { BlobHTTPHeaders } from '@azure/storage-blob';
import { SetupError } from '../src/errors.js';

export type Fields = Readonly<Record<string, string>>;

/** Header fields of every file, or of each by its name. */
export type FieldsOption = Fields | ((name: string) => Fields | undefined);

/** All that Azure keeps with a file, and what the SDK calls it. */
const KEPT: ReadonlyMap<string, keyof BlobHTTPHeaders> = new Map([
  ['cache-control', 'blobCacheControl'],
  ['content-type', 'blobContentType'],
  ['content-encoding', 'blobContentEncoding'],
  ['content-language', 'blobContentLanguage'],
  ['content-disposition', 'blobContentDisposition'],
]);

export const KEPT_FIELDS: ReadonlySet<string> = new Set(KEPT.keys());

/**
 * What a file is to be answered with, by the names of the SDK: the fields that it was handed, without
 * those that Azure does not keep, and over them its storage's own.
 *
 * @throws {SetupError} for a storage's own field that Azure does not keep.
 */
export function blobFields(
  name: string,
  handed: Fields | undefined,
  option: FieldsOption | undefined,
): BlobHTTPHeaders {
  const own = typeof option === 'function' ? option(name) : option;
  checkFields(own);
  const fields: BlobHTTPHeaders = {};
  for (const [field, value] of [handed, own].flatMap((some) => Object.entries(some ?? {}))) {
    const key = KEPT.get(field.toLowerCase());
    if (key !== undefined) Object.assign(fields, { [key]: value });
  }
  return fields;
}

/** @throws {SetupError} for what are no fields that Azure keeps. */
export function checkFields(fields: unknown): asserts fields is Fields | undefined {
  if (fields === undefined) return;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new SetupError(
      "azureStorage()'s headers must be an object of header fields, or a function of a name that answers one.",
    );
  }
  for (const [field, value] of Object.entries(fields)) {
    if (!KEPT.has(field.toLowerCase())) {
      throw new SetupError(
        `azureStorage()'s headers: Azure keeps no ${field} with a file, but ${[...KEPT_FIELDS].join(', ')}. Let the CDN in front of it add other fields.`,
      );
    }
    if (typeof value !== 'string' || /[^\t\x20-\x7e]/.test(value)) {
      throw new SetupError(
        `azureStorage()'s headers: ${field} must be a string of printable ASCII characters.`,
      );
    }
  }
}
