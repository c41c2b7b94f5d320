import type { BlobHTTPHeaders } from '@azure/storage-blob';
import {
  checkFieldsOption,
  chosenFields,
  type FieldsOption,
  type Writing,
} from '../../src/stored-fields.js';

/** All that Azure keeps with a file, and what the SDK calls it. */
const KEPT: ReadonlyMap<string, keyof BlobHTTPHeaders> = new Map([
  ['cache-control', 'blobCacheControl'],
  ['content-type', 'blobContentType'],
  ['content-encoding', 'blobContentEncoding'],
  ['content-language', 'blobContentLanguage'],
  ['content-disposition', 'blobContentDisposition'],
]);

export const KEPT_FIELDS: ReadonlySet<string> = new Set(KEPT.keys());

const RULES = { store: 'Azure', user: 'azureStorage()', kept: KEPT_FIELDS };

/**
 * What a file is to be answered with, by the names of the SDK: the fields that it was handed, without
 * those that Azure does not keep, and over them its storage's own.
 *
 * @throws {SetupError} for a storage's own field that Azure does not keep.
 */
export function blobFields(
  name: string,
  writing: Writing,
  option: FieldsOption | undefined,
): BlobHTTPHeaders {
  const own = chosenFields(option, name, writing, RULES);
  const fields: BlobHTTPHeaders = {};
  for (const [field, value] of [writing.headers, own].flatMap((some) =>
    Object.entries(some ?? {}),
  )) {
    const key = KEPT.get(field.toLowerCase());
    if (key !== undefined) Object.assign(fields, { [key]: value });
  }
  return fields;
}

/** @throws {SetupError} for what can be no fields that Azure takes. */
export function checkOwnFields(option: unknown): void {
  checkFieldsOption(option, RULES);
}
