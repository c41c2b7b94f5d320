import { type Delimiters, replaceAngleTags } from '../src/angle-tags.js';
import { PeerError, reason, StaticFilesError } from '../src/errors.js';
import type { StaticFiles } from '../src/index.js';
import { checkFiles, checkOptions } from '../src/options.js';
import { joinTexts, plainText, type TextParser, type Token } from './nunjucks-text.js';

export interface NunjucksOptions {
  /** Whether `<% static 'x' %>` is a tag as well. @default true */
  readonly angleTags?: boolean | undefined;
  /** Whether there are the tag, the function and the filter `media` too. @default true */
  readonly media?: boolean | undefined;
}

/** What is needed of a Nunjucks environment; any version 3 has it. */
export interface NunjucksEnvironment {
  addExtension(name: string, extension: never): unknown;
  removeExtension(name: string): unknown;
  addFilter(name: string, filter: (...args: never[]) => unknown): unknown;
  addGlobal(name: string, value: unknown): unknown;
  // These are part of every version 3, and of no published types.
  invalidateCache?(): void;
  readonly globals?: Record<string, unknown>;
  readonly filters?: Record<string, unknown>;
}

/** The names in the environment that are ours alone. */
const EXTENSION = 'staticfiles';
const TAG_FILTERS: Readonly<Record<string, string>> = {
  staticUrl: 'staticfiles_tag',
  mediaUrl: 'staticfiles_media_tag',
};

/** What `media` means in an environment where it is ours, and no function of the application's. */
const OUR_MEDIA = new WeakSet<object>();

type UrlFunction = 'staticUrl' | 'mediaUrl';

const NAME_TAGS: Readonly<Record<string, UrlFunction>> = { static: 'staticUrl', media: 'mediaUrl' };

const PREFIX_TAGS: Readonly<Record<string, UrlFunction>> = {
  get_static_prefix: 'staticUrl',
  get_media_prefix: 'mediaUrl',
};

const EXAMPLES: Readonly<Record<string, string>> = {
  static: "static 'my_app/example.jpg'",
  media: "media 'avatars/ada.jpg'",
};

const DEFAULT_DELIMITERS: Delimiters = {
  blockStart: '{%',
  blockEnd: '%}',
  variableStart: '{{',
  variableEnd: '}}',
  commentStart: '{#',
  commentEnd: '#}',
};

/**
 * Teaches a Nunjucks environment Django's tags: `{% static %}`, `{% get_static_prefix %}` and
 * `{% get_media_prefix %}`, each with `as name`; `{% load static %}`, which does nothing; the
 * function `static()` and the filter `static`. All that `static` is, `media` is for uploaded files,
 * but where the application has a tag, a global or a filter of that name: then that stays. Called
 * again, it speaks of the new files.
 *
 * @throws {PeerError} where there is no environment.
 * @throws {SetupError} where there are no files, and for an unknown option.
 */
export function registerStatic(
  env: NunjucksEnvironment,
  files: StaticFiles,
  options: NunjucksOptions = {},
): void {
  assertEnvironment(env);
  checkFiles('registerStatic(env, files)', files);
  checkOptions('registerStatic()', options, ['angleTags', 'media']);
  const { staticUrl } = files;
  const url = (name: unknown) => staticUrl(plainString(name));
  env.addGlobal('static', (name: unknown) => url(name));
  env.addFilter('static', (name: unknown) => url(name));
  // The tag calls a filter of its own: no variable of a template can shadow it, and it is quicker
  // than a global. Line and column come with it, for Nunjucks keeps none for filters.
  env.addFilter('staticfiles_tag', (name: unknown, line: number, column: number) => {
    try {
      return url(name);
    } catch (error) {
      throw new PlacedError(error, line, column);
    }
  });
  registerMedia(env, files, options);
  env.removeExtension(EXTENSION);
  env.invalidateCache?.(); // templates that were compiled with the tags of earlier files
  env.addExtension(
    EXTENSION,
    extension(files, bridge(env, options), options.media ?? true) as never,
  );
}

/** The same for uploaded files, apart: one function for both would cost static tags time. */
function registerMedia(
  env: NunjucksEnvironment,
  { mediaUrl }: StaticFiles,
  { media = true }: NunjucksOptions,
): void {
  const url = (name: unknown) => mediaUrl(plainString(name));
  OUR_MEDIA.add(url);
  if (isOursToSet(env.globals)) {
    if (media) env.addGlobal('media', url);
    else delete env.globals?.media;
  }
  if (isOursToSet(env.filters)) {
    if (media) env.addFilter('media', url);
    else delete env.filters?.media;
  }
  env.addFilter('staticfiles_media_tag', (name: unknown, line: number, column: number) => {
    try {
      return url(name);
    } catch (error) {
      throw new PlacedError(error, line, column);
    }
  });
}

/** Whether there is no `media`, or that of an earlier registration. */
function isOursToSet(names: Readonly<Record<string, unknown>> = {}): boolean {
  return names.media === undefined || OUR_MEDIA.has(Object(names.media));
}

function assertEnvironment(env: unknown): asserts env is NunjucksEnvironment {
  const methods = ['addExtension', 'removeExtension', 'addFilter', 'addGlobal'];
  if (methods.every((method) => typeof Object(env)[method] === 'function')) return;
  throw new PeerError(
    'nunjucks',
    'registerStatic(env, files) takes a Nunjucks environment, such as nunjucks.configure() answers.',
  );
}

/** What a macro or a filter marked as safe is a string all the same. */
function plainString(name: unknown): string {
  if (typeof name === 'string') return name;
  return name instanceof String ? name.toString() : (name as string); // the core refuses others
}

/** The rewriting of `<% static %>`; `undefined` where it is not wanted, or the angles are taken. */
function bridge(env: NunjucksEnvironment, { angleTags = true, media = true }: NunjucksOptions) {
  const { opts } = env as { opts?: { tags?: Partial<Delimiters> } };
  const delimiters = { ...DEFAULT_DELIMITERS, ...opts?.tags };
  const { blockStart, variableStart, commentStart } = delimiters;
  if (!angleTags || [blockStart, variableStart, commentStart].includes('<%')) return undefined;
  return (source: string) => replaceAngleTags(source, delimiters, media);
}

function extension(
  files: StaticFiles,
  preprocess: ((source: string) => string) | undefined,
  media: boolean,
) {
  const own = {
    tags: ['static', ...(media ? ['media'] : []), 'load', ...Object.keys(PREFIX_TAGS)],
    ...(preprocess && { preprocess }),
    parse(parser: Parser, nodes: Nodes, lexer: unknown): Node {
      const theirs = mediaExtension(parser, own);
      if (theirs) return theirs.parse(parser, nodes, lexer);
      const tag = parser.nextToken();
      if (tag.value === 'load') return parseLoad(parser, nodes, tag);
      const value = parseValue(parser, nodes, tag);
      const target = parser.skipSymbol('as') ? parseTarget(parser, nodes, tag) : undefined;
      endTag(parser, tag);
      const { lineno, colno } = tag;
      if (target) return new nodes.Set(lineno, colno, [target], value);
      const url = plainText(value.value);
      if (url === undefined) return new nodes.Output(lineno, colno, [value]);
      const rest = joinTexts(parser, url, (name) => plainText(files.constantUrl(name)));
      const output = rest === undefined ? [] : [new nodes.TemplateData(lineno, colno, rest)];
      return new nodes.Output(lineno, colno, output);
    },
  };
  return own;

  /** The URL itself where it can be known now; otherwise the call that answers it. */
  function parseValue(parser: Parser, nodes: Nodes, tag: Token): Node {
    const { lineno, colno } = tag;
    const prefix = PREFIX_TAGS[tag.value];
    const urlFunction = prefix ?? NAME_TAGS[tag.value] ?? 'staticUrl';
    const name = prefix ? new nodes.Literal(lineno, colno, '') : parseName(parser, tag);
    const constant =
      name instanceof nodes.Literal && typeof name.value === 'string'
        ? constantUrl(files, urlFunction, name.value)
        : undefined;
    if (constant !== undefined) return new nodes.Literal(lineno, colno, constant);
    // Nunjucks counts from 0, and its messages from 1.
    const place = [lineno + 1, colno + 1].map((number) => new nodes.Literal(lineno, colno, number));
    const args = new nodes.NodeList(lineno, colno, [name, ...place]);
    const filter = new nodes.Symbol(lineno, colno, TAG_FILTERS[urlFunction]);
    return new nodes.Filter(lineno, colno, filter, args);
  }
}

/** Another's extension for the tag that comes, where that is `media`. */
function mediaExtension(parser: Parser, own: object): ParsedExtension | undefined {
  if (parser.peekToken()?.value !== 'media') return undefined;
  return parser.extensions.find((other) => other !== own && other.tags.includes('media'));
}

/** The URL of a literal name where it stays the same; that of an uploaded file always does. */
function constantUrl(files: StaticFiles, of: UrlFunction, name: string): string | undefined {
  if (of === 'staticUrl') return files.constantUrl(name);
  try {
    return files.mediaUrl(name);
  } catch (error) {
    if (error instanceof StaticFilesError) return undefined; // it fails where it is rendered
    throw error;
  }
}

function parseName(parser: Parser, tag: Token): Node {
  const next = parser.peekToken();
  if (next === null || next.type === 'block-end') {
    const example = `{% ${EXAMPLES[tag.value]} %}`;
    parser.fail(`${tag.value} needs a name: ${example}`, tag.lineno, tag.colno);
  }
  return parser.parseExpression();
}

function parseTarget(parser: Parser, nodes: Nodes, tag: Token): Node {
  const target = parser.peekToken()?.type === 'symbol' ? parser.parsePrimary() : undefined;
  if (!(target instanceof nodes.Symbol)) {
    parser.fail(`${tag.value} … as needs the name of a variable`, tag.lineno, tag.colno);
  }
  return target;
}

function endTag(parser: Parser, tag: Token): void {
  if (parser.peekToken()?.type !== 'block-end') {
    const form = EXAMPLES[tag.value] ?? tag.value;
    const whole =
      tag.value === 'load' ? '{% load static %}' : `{% ${form} %} or {% ${form} as url %}`;
    parser.fail(`${tag.value} is written ${whole}`, tag.lineno, tag.colno);
  }
  parser.advanceAfterBlockEnd(tag.value);
}

/** `{% load static %}`, also as `{% load get_static_prefix from static %}`. */
function parseLoad(parser: Parser, nodes: Nodes, tag: Token): Node {
  const words: unknown[] = [];
  while (parser.peekToken()?.type === 'symbol') words.push(parser.nextToken().value);
  const libraries = words.includes('from') ? words.slice(words.indexOf('from') + 1) : words;
  if (libraries.length === 0 || libraries.some((library) => library !== 'static')) {
    parser.fail(
      'only static can be loaded: {% load static %}; other libraries of Django tags are not here',
      tag.lineno,
      tag.colno,
    );
  }
  endTag(parser, tag);
  return new nodes.Output(tag.lineno, tag.colno, []);
}

/** An error that Nunjucks takes for one of its own: it knows its place, and learns the template's. */
class PlacedError extends Error {
  #first = true;

  constructor(
    cause: unknown,
    readonly lineno: number,
    readonly colno: number,
  ) {
    super(reason(cause), { cause });
    this.name = 'Template render error';
  }

  /** Called by each template on the way out, the innermost first. */
  Update(path: string | undefined): this {
    const place = this.#first ? ` [Line ${this.lineno}, Column ${this.colno}]` : '';
    this.#first = false;
    this.message = `(${path || 'unknown path'})${place}\n  ${this.message}`;
    return this;
  }
}

// What is used of Nunjucks' parser; its types say nothing of extensions.

interface Parser extends TextParser {
  readonly extensions: readonly ParsedExtension[];
  nextToken(): Token;
  skipSymbol(name: string): boolean;
  parseExpression(): Node;
  parsePrimary(): Node;
  advanceAfterBlockEnd(tag: string): unknown;
  fail(message: string, lineno: number, colno: number): never;
}

interface ParsedExtension {
  readonly tags: readonly string[];
  parse(parser: Parser, nodes: Nodes, lexer: unknown): Node;
}

interface Node {
  readonly value?: unknown;
}

type NodeClass = new (lineno: number, colno: number, ...fields: unknown[]) => Node;

type Nodes = Record<
  'Filter' | 'Literal' | 'NodeList' | 'Output' | 'Set' | 'Symbol' | 'TemplateData',
  NodeClass
>;
