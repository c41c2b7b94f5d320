import { escapeRegExp } from '../src/angle-tags.js';

/** A URL that has nothing to escape, and so may pass for text. */
export function plainText(url: unknown): string | undefined {
  return typeof url === 'string' && !/[&"'<>\\]/.test(url) ? url : undefined;
}

/**
 * Puts a URL before the text behind its tag, and the literal tags and texts that follow to it: each
 * piece costs a concatenation at each rendering, which for text would be most of the cost. Answers
 * the URL again where no text follows.
 */
export function joinTexts(
  parser: TextParser,
  url: string,
  urlOf: (name: string) => string | undefined,
): string | undefined {
  const text = parser.peekToken();
  if (text?.type !== 'data') return url;
  text.value = url + (parser.dropLeadingWhitespace ? text.value.trimStart() : text.value);
  const { tokens } = parser;
  const literalTag = literalTagOf(tokens.tags);
  for (;;) {
    const [tagAhead, , name] = literalTag.exec(tokens.currentStr()) ?? [];
    const urlAhead = name === undefined ? undefined : urlOf(name);
    if (tagAhead === undefined || urlAhead === undefined) return undefined;
    tokens.forwardN(tagAhead.length);
    text.value += urlAhead + textAhead(tokens);
  }
}

/** The plainest form of the tag, without whitespace control, at the head of a text. */
function literalTagOf({ BLOCK_START, BLOCK_END }: Lexer['tags']): RegExp {
  const [start, end] = [BLOCK_START, BLOCK_END].map(escapeRegExp);
  return new RegExp(`^${start}\\s*static\\s+(["'])([^"'\\\\]*)\\1\\s*${end}(?![\\r\\n])`);
}

function textAhead(tokens: Lexer): string {
  const { BLOCK_START, VARIABLE_START, COMMENT_START } = tokens.tags;
  const rest = tokens.currentStr();
  const isCode = [BLOCK_START, VARIABLE_START, COMMENT_START].some((at) => rest.startsWith(at));
  return isCode ? '' : (tokens.nextToken()?.value ?? '');
}

// What is used of Nunjucks' parser and its lexer.

export interface TextParser {
  readonly tokens: Lexer;
  /** Set by a `-%}`, for the text behind it. */
  readonly dropLeadingWhitespace: boolean;
  peekToken(): Token | null;
}

export interface Token {
  readonly type: string;
  value: string;
  readonly lineno: number;
  readonly colno: number;
}

interface Lexer {
  readonly tags: Record<'BLOCK_START' | 'BLOCK_END' | 'VARIABLE_START' | 'COMMENT_START', string>;
  currentStr(): string;
  forwardN(count: number): void;
  nextToken(): Token | null;
}
