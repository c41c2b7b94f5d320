import { SetupError } from './errors.js';
import { normaliseName, STATE_FOLDER } from './names.js';

/** Header fields that a store keeps with a file, and answers it with. */
export type Fields = Readonly<Record<string, string>>;

/** Header fields of every file, or of each by the name of its source. */
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

/** What is said of a file that is written; see `WriteOptions`. */
export interface Writing {
  readonly source?: string | undefined;
  readonly headers?: Fields | undefined;
  readonly final?: boolean | undefined;
}

/**
 * What the option `headers` of a store says of a file, by names in lower case. What a file is encoded
 * with is known best by whoever encoded it; and of files that collecting keeps for itself, such as the
 * manifest, only the store is told something, such as how they are encrypted.
 *
 * @throws {SetupError} for what are no fields that it keeps.
 */
export function chosenFields(
  option: FieldsOption | undefined,
  given: string,
  { source = given, headers = {}, final = false }: Writing,
  rules: FieldsRules,
): Fields {
  const fields = typeof option === 'function' ? option(normaliseName(source)) : option;
  checkFields(fields, rules);
  const isFinal = final || normaliseName(given).startsWith(`${STATE_FOLDER}/`);
  const isEncoded = Object.keys(headers).some((field) => field.toLowerCase() === ENCODING);
  const chosen = Object.entries(fields ?? {})
    .map(([field, value]) => [field.toLowerCase(), value] as const)
    .filter(([field]) => !(isFinal && rules.kept.has(field)) && !(isEncoded && field === ENCODING));
  return Object.fromEntries(chosen);
}

const ENCODING = 'content-encoding';

/**
 * Checks the option `headers` of a store, as far as that can be done before there is a file.
 *
 * @throws {SetupError} for what can be no fields that it keeps.
 */
export function checkFieldsOption(option: unknown, rules: FieldsRules): void {
  if (typeof option !== 'function') checkFields(option, rules);
  else if (Object.prototype.toString.call(option) === '[object AsyncFunction]') {
    throw late(rules);
  }
}

function late({ user }: FieldsRules): SetupError {
  return new SetupError(
    `${user}'s headers must be a function that answers at once, not a promise.`,
  );
}

function checkFields(fields: unknown, rules: FieldsRules): asserts fields is Fields | undefined {
  const { store, user, kept, told } = rules;
  if (fields === undefined) return;
  if (fields instanceof Promise) {
    fields.catch(() => {}); // what it is, is said here already
    throw late(rules);
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new SetupError(
      `${user}'s headers must be an object of header fields, or a function of a name that answers one.`,
    );
  }
  for (const [field, value] of Object.entries(fields)) {
    const known = field.toLowerCase();
    if (!TOKEN.test(field)) {
      throw new SetupError(`${user}'s headers: '${field}' can be no name of a header field.`);
    }
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

/** RFC 9110, 5.6.2 */
const TOKEN = /^[!#$%&'*+.^`|~\w-]+$/;
