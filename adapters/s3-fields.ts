import { SetupError } from '../src/errors.js';

export type Fields = Readonly<Record<string, string>>;

/** Header fields of every file, or of each by its name. */
export type FieldsOption = Fields | ((name: string) => Fields | undefined);

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

/** The fields among these that S3 keeps, by their names in lower case. */
export function keptFields(fields: Fields = {}): Fields {
  return Object.fromEntries(lowerCase(fields).filter(([name]) => KEPT_FIELDS.has(name)));
}

/**
 * A storage's own fields for a file, by their names in lower case.
 *
 * @throws {SetupError} for one that S3 does not keep.
 */
export function ownFields(option: FieldsOption | undefined, name: string): Fields {
  const fields = typeof option === 'function' ? option(name) : option;
  checkFields(fields);
  return Object.fromEntries(lowerCase(fields ?? {}));
}

/** @throws {SetupError} for what are no fields that S3 takes. */
export function checkFields(fields: unknown): asserts fields is Fields | undefined {
  if (fields === undefined) return;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new SetupError(
      "s3Storage()'s headers must be an object of header fields, or a function of a name that answers one.",
    );
  }
  for (const [name, value] of Object.entries(fields)) {
    const known = name.toLowerCase();
    if (!KEPT_FIELDS.has(known) && !STORES_OWN.test(known)) {
      throw new SetupError(
        `s3Storage()'s headers: S3 keeps no ${name} with a file, but ${[...KEPT_FIELDS].join(', ')}. Let the CDN in front of it add other fields.`,
      );
    }
    if (typeof value !== 'string' || /[^\t\x20-\x7e]/.test(value)) {
      throw new SetupError(
        `s3Storage()'s headers: ${name} must be a string of printable ASCII characters.`,
      );
    }
  }
}

const lowerCase = (fields: Fields) =>
  Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value] as const);
