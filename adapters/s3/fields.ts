import {
  checkFieldsOption,
  chosenFields,
  type Fields,
  type FieldsOption,
  type Writing,
} from '../../src/stored-fields.js';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html, "System-defined" */
export const KEPT_FIELDS: ReadonlySet<string> = new Set([
  'cache-control',
  'content-type',
  'content-encoding',
  'content-disposition',
  'content-language',
  'expires',
]);

/** Fields that tell S3 something: metadata, tags, encryption. */
const STORES_OWN = /^x-amz-/;

const RULES = { store: 'S3', user: 's3Storage()', kept: KEPT_FIELDS, told: STORES_OWN };

/** The fields among these that S3 keeps, by their names in lower case. */
export function keptFields(fields: Fields = {}): Fields {
  return Object.fromEntries(
    Object.entries(fields)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => KEPT_FIELDS.has(name)),
  );
}

/**
 * A storage's own fields for a file, by their names in lower case.
 *
 * @throws {SetupError} for one that S3 does not keep.
 */
export function ownFields(
  option: FieldsOption | undefined,
  name: string,
  writing: Writing,
): Fields {
  return chosenFields(option, name, writing, RULES);
}

/** @throws {SetupError} for what can be no fields that S3 takes. */
export function checkOwnFields(option: unknown): void {
  checkFieldsOption(option, RULES);
}
