import { NameError, PeerError, reason, SetupError } from '../src/errors.js';
import type { StaticFiles } from '../src/index.js';
import { type Position, rewriteTree, type TreeNode } from './handlebars-tree.js';

export interface HandlebarsOptions {
  /** Whether `<<static 'x'>>` is a tag as well. @default true */
  readonly angleTags?: boolean | undefined;
}

/** What is needed of a Handlebars instance; that of the runtime alone has no parser. */
export interface HandlebarsInstance {
  registerHelper(name: string, helper: (...args: never[]) => unknown): void;
  helpers: { [name: string]: unknown };
}

/** Each instance's own parser, so that registering again does not wrap ours once more. */
const parsers = new WeakMap<object, Parse>();

/**
 * Teaches a Handlebars instance the helpers `static`, `get_static_prefix` and `get_media_prefix`:
 * `{{static 'x'}}`, `(static 'x')`, `{{#static 'x' as |url|}}…{{/static}}`. Called again, it speaks
 * of the new files.
 *
 * @throws {PeerError} where there is no instance.
 */
export function registerStatic(
  handlebars: HandlebarsInstance,
  files: StaticFiles,
  options: HandlebarsOptions = {},
): void {
  if (typeof handlebars?.registerHelper !== 'function') {
    throw new PeerError(
      'handlebars',
      "registerStatic(Handlebars, files) takes Handlebars itself, or what its create() answers: import Handlebars from 'handlebars'.",
    );
  }
  if (typeof files?.staticUrl !== 'function') {
    throw new SetupError(
      'registerStatic(Handlebars, files) takes what createStaticFiles() answers.',
    );
  }
  const helpers = helpersFor(files);
  for (const [name, helper] of Object.entries(helpers)) handlebars.registerHelper(name, helper);
  rewriteTemplates(handlebars as HandlebarsInstance & Compiler, files, helpers, options);
}

type Helpers = Readonly<Record<string, (...args: never[]) => unknown>>;

function helpersFor(files: StaticFiles): Helpers {
  return {
    static(this: unknown, name: unknown, options?: HelperOptions, ...more: unknown[]) {
      // The engine's options come last: a single argument is none from the template.
      if (options?.hash === undefined || more.length > 0) throw wrongCount(name, options, more);
      let url: string;
      try {
        url = files.staticUrl(plainString(name));
      } catch (error) {
        throw placed(error, options);
      }
      if (options.fn === undefined) return url;
      if (!options.fn.blockParams) {
        const error = "{{#static}} needs a name for the URL: {{#static 'x' as |url|}}…{{/static}}.";
        throw placed(new SetupError(error), options);
      }
      return options.fn(this, { data: options.data, blockParams: [url] });
    },
    get_static_prefix: () => files.staticUrl(''),
    get_media_prefix: () => files.mediaUrl(''),
  };
}

/** What a helper marked as safe is a string all the same. The core refuses everything else. */
function plainString(name: unknown): string {
  const isSafe = typeof name === 'object' && name !== null && 'toHTML' in name;
  return isSafe ? String(name) : (name as string);
}

function wrongCount(...[name, second, more]: [unknown, unknown, unknown[]]): Error {
  const args = [name, second, ...more].filter((value) => value !== undefined);
  const options = args.pop() as HelperOptions | undefined;
  const message = `static takes one name, not ${args.length}: {{static 'my_app/example.jpg'}}.`;
  return placed(new NameError(message, args[0]), options);
}

/** The error with the template, line and column of the tag, as far as the engine tells them. */
function placed(error: unknown, options: HelperOptions | undefined): Error {
  const start = options?.loc?.start;
  const template = options?.loc?.source ?? options?.data?.exphbs?.filePath ?? 'template';
  // Handlebars counts columns from 0.
  const place = start ? `line ${start.line}, column ${start.column + 1}` : 'unknown line';
  return new Error(`${template}, ${place}: ${reason(error)}`, { cause: error });
}

interface HelperOptions {
  readonly hash: object;
  readonly fn?: ((context: unknown, options: object) => string) & { readonly blockParams?: number };
  readonly data?: { readonly exphbs?: { readonly filePath?: string } };
  readonly loc?: { readonly source?: string; readonly start: Position };
}

/**
 * Lets the instance's parser, through which every template goes that it compiles, make tags of
 * `<<static …>>`, and text of literal names whose URL stays the same.
 */
function rewriteTemplates(
  handlebars: HandlebarsInstance & Compiler,
  files: StaticFiles,
  helpers: Helpers,
  { angleTags = true }: HandlebarsOptions,
): void {
  const parse = parsers.get(handlebars) ?? handlebars.parse;
  if (parse === undefined) return; // the runtime alone: its templates are compiled already
  parsers.set(handlebars, parse);

  handlebars.parse = (input, options) => {
    // Only while the helper is ours: a template must not ignore one that replaced it.
    const folding = handlebars.helpers.static === helpers.static;
    const parseTag = (code: string) => parse.call(handlebars, `{{${code}}}`, options).body?.[0];
    return rewriteTree(parse.call(handlebars, input, options), {
      url: (name) => (folding ? files.constantUrl(name) : undefined),
      mediaPrefix: files.mediaUrl(''),
      escape: (text) => (options?.noEscape ? text : handlebars.escapeExpression(text)),
      parseTag: angleTags ? parseTag : undefined,
    });
  };
}

/** What is used of an instance that has a compiler. */
interface Compiler {
  parse?: Parse;
  escapeExpression(text: string): string;
}

type Parse = (input: unknown, options?: { readonly noEscape?: boolean }) => TreeNode;
