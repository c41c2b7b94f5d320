/** A place in a text that names another file. */
export interface Reference {
  /** What it says, with the escapes of the language undone and percent-encoding kept: a URL. */
  readonly value: string;
  /** Where its spelling begins in the text, quotes apart, in UTF-16 units. */
  readonly start: number;
  /** Where its spelling ends. */
  readonly end: number;
  /**
   * What resolves it. `url`: the URL Standard, against the file. `specifier`: the same, but only
   * where it begins with `/`, `./` or `../` or is absolute; every other is a bare one, which an import map resolves
   * (HTML, "resolve a module specifier"). `source-map`: as `url`; tools ask for it, pages do not.
   */
  readonly kind: 'url' | 'specifier' | 'source-map';
  /**
   * Where each unit of `value` begins in the text. Absent: it is spelled as it is meant, and each
   * unit stands one after the other from `start` on.
   */
  readonly offsets?: readonly number[];
}

/**
 * Finds the references of a text, in their order; pure and synchronous, in linear time. Those that
 * its comments switch off (`staticfiles: ignore` before everything else, `staticfiles: ignore-next`)
 * are none.
 *
 * @throws {ScanError} for a text that is not in the language.
 */
export type Scanner = (text: string) => Reference[];

/** A text that is not in the language that its name promises. */
export class ScanError extends Error {
  override readonly name = 'ScanError';

  constructor(
    message: string,
    /** Where, in UTF-16 units; `undefined` where that is not known. */
    readonly offset?: number,
  ) {
    super(message);
  }
}
