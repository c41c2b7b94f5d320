/** What a source map comment names. */
export interface SourceMapComment {
  /** The URL, as it stands there: comments have no escapes. */
  readonly value: string;
  /** Where it begins in the comment's inner text. */
  readonly offset: number;
}

// Lazy, as in the standard: a greedy `\S*` would keep a way back for each character of an inlined map.
const PATTERN = /^[@#]\s*sourceMappingURL=(\S*?)\s*$/;

/**
 * What a comment says the source map is, or `undefined`: ECMA-426, "MatchSourceMapURL". `inner` is
 * the comment's text without its delimiters.
 */
export function matchSourceMapComment(inner: string): SourceMapComment | undefined {
  const value = PATTERN.exec(inner)?.[1];
  return value === undefined ? undefined : { value, offset: inner.indexOf('=') + 1 };
}
