import { SetupError } from './errors.js';

/** Header fields that a store keeps with a file, and answers it with. */
export type Fields = Readonly<Record<string, string>>;

/** Header fields of every file, or of each by its name. */
export type FieldsOption = Fields | ((name: string) => Fields | undefined);

export interface FieldsRules {
  /** The store, for people: `S3`. */
  readonly store: string;
  /** The function whose option it is, for people: `s3Storage()`. */
  readonly user: string;
  /** What it keeps, in lower case. */
  readonly kept: ReadonlySet<string>;
  /** Fields besides that tell it something, by their names in lower case. */
  readonly told?: RegExp;
}

/**
 * Checks the option `headers` of a store.
 *
 * @throws {SetupError} for what are no fields that it keeps.
 */
export function checkFields(
  fields: unknown,
  { store, user, kept, told }: FieldsRules,
): asserts fields is Fields | undefined {
  if (fields === undefined) return;
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new SetupError(
      `${user}'s headers must be an object of header fields, or a function of a name that answers one.`,
    );
  }
  for (const [field, value] of Object.entries(fields)) {
    const known = field.toLowerCase();
    if (!kept.has(known) && !told?.test(known)) {
      throw new SetupError(
        `${user}'s headers: ${store} keeps no ${field} with a file, but ${[...kept].join(', ')}. Let the CDN in front of it add other fields.`,
      );
    }
    if (typeof value !== 'string' || /[^\t\x20-\x7e]/.test(value)) {
      throw new SetupError(
        `${user}'s headers: ${field} must be a string of printable ASCII characters.`,
      );
    }
  }
}
