import { NameError, PeerError, reason, SetupError } from '../src/errors.js';
import type { StaticFiles } from '../src/index.js';
import { checkFiles, checkOptions } from '../src/options.js';
import { type Location, type Rewriting, rewriteTree, type TreeNode } from './handlebars-tree.js';

export interface HandlebarsOptions {
  /** Whether `<<static 'x'>>` is a tag as well. @default true */
  readonly angleTags?: boolean | undefined;
  /** Whether there is the helper `media` too. @default true */
  readonly media?: boolean | undefined;
}

/** What is needed of a Handlebars instance; that of the runtime alone has no parser. */
export interface HandlebarsInstance {
  registerHelper(name: string, helper: Helper): void;
  unregisterHelper(name: string): void;
  helpers: { [name: string]: unknown };
}

/**
 * Teaches a Handlebars instance the helpers `static`, `get_static_prefix` and `get_media_prefix`:
 * `{{static 'x'}}`, `(static 'x')`, `{{#static 'x' as |url|}}…{{/static}}`; and `media`, the same for
 * uploaded files, but where the application has a helper of that name: then that stays. Called again,
 * it speaks of the new files; templates that are compiled already keep the URLs of literal names.
 *
 * @throws {PeerError} where there is no instance.
 * @throws {SetupError} where there are no files, and for an unknown option.
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
  checkFiles('registerStatic(Handlebars, files)', files);
  checkOptions('registerStatic()', options, ['angleTags', 'media']);
  const { angleTags = true, media = true } = options;
  const helpers = helpersFor(files);
  for (const [name, helper] of Object.entries(helpers)) handlebars.registerHelper(name, helper);
  registerMedia(handlebars, files, media);
  rewriteTemplates(handlebars, { files, helpers, angleTags, media });
}

type Helper = (...args: unknown[]) => unknown;
type Helpers = Readonly<Record<string, Helper>>;

function helpersFor({ staticUrl, mediaUrl }: StaticFiles): Helpers {
  return {
    static(this: unknown, name, last) {
      // biome-ignore lint/complexity/noArguments: this runs at each tag, and a rest parameter costs an array
      if (arguments.length !== 2) throw wrongCount('static', ...arguments);
      const options = last as HelperOptions;
      let url: string;
      try {
        url = staticUrl(plainString(name));
      } catch (error) {
        throw placed(error, options);
      }
      return options.fn === undefined ? url : block('static', this, url, options.fn, options);
    },
    get_static_prefix: () => staticUrl(''),
    get_media_prefix: () => mediaUrl(''),
  };
}

/** What `media` means in an instance where it is ours, and no helper of the application's. */
const OUR_MEDIA = new WeakSet<object>();

function registerMedia(
  handlebars: HandlebarsInstance,
  files: StaticFiles,
  isWanted: boolean,
): void {
  const there = handlebars.helpers.media;
  if (there !== undefined && !OUR_MEDIA.has(Object(there))) return;
  if (isWanted) {
    const helper = mediaHelper(handlebars, files);
    OUR_MEDIA.add(helper);
    handlebars.registerHelper('media', helper);
  } else handlebars.unregisterHelper('media');
}

/**
 * Its literal names are not written down when a template is compiled: hosts such as express-handlebars
 * hand over an application's helpers at each rendering, and one called `media` must win.
 */
function mediaHelper(handlebars: HandlebarsInstance, { mediaUrl }: StaticFiles): Helper {
  return function media(this: unknown, ...args) {
    const options = args.at(-1) as HelperOptions;
    const [key] = Object.keys(options.hash);
    if (key !== undefined) throw unknownKey('media', key, options);
    if (args.length === 1) return variable(handlebars, this, 'media', options);
    if (args.length !== 2) throw wrongCount('media', ...args);
    let url: string;
    try {
      url = mediaUrl(plainString(args[0]));
    } catch (error) {
      throw placed(error, options);
    }
    return options.fn === undefined ? url : block('media', this, url, options.fn, options);
  };
}

/**
 * What `{{name}}` or `{{#name}}…{{/name}}` is where there is no helper of that name. `media` is a
 * likely name of a variable, and its tag always has a name of a file.
 */
function variable(
  { helpers }: HandlebarsInstance,
  context: unknown,
  name: string,
  options: HelperOptions,
): unknown {
  const found = context == null ? undefined : options.lookupProperty(context, name);
  const value = typeof found === 'function' ? found.call(context, options) : found;
  if (options.fn === undefined) return value;
  return (helpers.blockHelperMissing as Helper).call(context, value, options);
}

/** `{{#static 'x' as |url|}}…{{/static}}`. */
function block(
  helper: string,
  context: unknown,
  url: string,
  fn: Block,
  options: HelperOptions,
): string {
  if (fn.blockParams) return fn(context, { data: options.data, blockParams: [url] });
  const message = `{{#${helper}}} needs a name for the URL: {{#${helper} 'x' as |url|}}…{{/${helper}}}.`;
  throw placed(new SetupError(message), options);
}

/** What a helper marked as safe is a string all the same. The core refuses everything else. */
function plainString(name: unknown): string {
  if (typeof name === 'string') return name;
  const isSafe = typeof name === 'object' && name !== null && 'toHTML' in name;
  return isSafe ? String(name) : (name as string);
}

/** The engine's options come last: a single argument is none from the template. */
function wrongCount(helper: string, ...args: unknown[]): Error {
  const options = args.pop() as HelperOptions | undefined;
  const example = helper === 'static' ? 'my_app/example.jpg' : 'avatars/ada.jpg';
  const message = `${helper} takes one name, not ${args.length}: {{${helper} '${example}'}}.`;
  return placed(new NameError(message, args[0]), options);
}

function unknownKey(helper: string, key: string, at: Pick<HelperOptions, 'loc'>): Error {
  return placed(new SetupError(`${helper} takes no '${key}='. Leave it out.`), at);
}

/** The error with the template, line and column of the tag, as far as the engine tells them. */
function placed(error: unknown, options: Partial<HelperOptions> | undefined): Error {
  const start = options?.loc?.start;
  // Handlebars counts columns from 0.
  const place = start ? `line ${start.line}, column ${start.column + 1}` : 'unknown line';
  return new Error(`${templateOf(options)}, ${place}: ${reason(error)}`, { cause: error });
}

function templateOf(options: Partial<HelperOptions> | undefined): string {
  const view = options?.data?.exphbs?.filePath;
  return options?.loc?.source ?? (view ? `${view} or a partial in it` : 'template');
}

interface HelperOptions {
  readonly hash: object;
  readonly fn?: Block;
  lookupProperty(parent: unknown, name: string): unknown;
  /** express-handlebars tells in it which view it renders. */
  readonly data?: { readonly exphbs?: { readonly filePath?: string } };
  readonly loc?: Location | undefined;
}

type Block = ((context: unknown, options: object) => string) & { readonly blockParams?: number };

interface Registration {
  readonly files: StaticFiles;
  readonly helpers: Helpers;
  readonly angleTags: boolean;
  readonly media: boolean;
}

/** What each instance was taught last; its parser is wrapped but once. */
const registrations = new WeakMap<object, { current: Registration }>();

/**
 * Lets the instance's parser, through which every template goes that it compiles, make tags of
 * `<<static …>>`, and text of literal names whose URL stays the same.
 */
function rewriteTemplates(
  handlebars: HandlebarsInstance & Partial<Compiler>,
  current: Registration,
): void {
  const earlier = registrations.get(handlebars);
  if (earlier !== undefined) {
    earlier.current = current;
    return;
  }
  if (!hasCompiler(handlebars)) return; // the runtime alone: its templates are compiled already
  const registration = { current };
  registrations.set(handlebars, registration);
  const parse = handlebars.parse.bind(handlebars);
  const compile = handlebars.compile.bind(handlebars);
  handlebars.parse = (input, options) =>
    rewriteTree(parse(input, options), rewriting(handlebars, parse, options, registration.current));
  handlebars.compile = (input, options) => compile(input, named(handlebars, input, options));
}

function hasCompiler(
  handlebars: HandlebarsInstance & Partial<Compiler>,
): handlebars is HandlebarsInstance & Compiler {
  return typeof handlebars.parse === 'function';
}

/** A partial that is registered as text is compiled under the name of the template that uses it. */
function named({ partials }: Compiler, input: unknown, options: CompileOptions | undefined) {
  const name = Object.keys(partials).find((key) => partials[key] === input);
  return name === undefined ? options : { ...options, srcName: `partial '${name}'` };
}

function rewriting(
  handlebars: HandlebarsInstance & Compiler,
  parse: Parse,
  options: CompileOptions | undefined,
  { files, helpers, angleTags, media }: Registration,
): Rewriting {
  // A template must not ignore a helper that replaced ours, or that it is not to know.
  const isOurs = (helper: string) =>
    Object.hasOwn(helpers, helper) &&
    handlebars.helpers[helper] === helpers[helper] &&
    (!options?.knownHelpersOnly || options.knownHelpers?.[helper] === true);
  return {
    constant(helper, name) {
      if (!isOurs(helper)) return undefined;
      if (helper === 'static') return name === undefined ? undefined : files.constantUrl(name);
      if (name !== undefined) return undefined;
      return helper === 'get_static_prefix' ? files.constantUrl('') : files.mediaUrl('');
    },
    escape(text) {
      if (options?.noEscape) return text;
      const escaped = handlebars.Utils.escapeExpression(text);
      // A tree that a program asks for itself may still be compiled with `noEscape`.
      return options !== undefined || escaped === text ? escaped : undefined;
    },
    refuseKey(helper, key, loc) {
      if (!isOurs(helper)) return;
      throw unknownKey(helper, key, { loc });
    },
    parseTag(code, { line, column }) {
      if (!angleTags || (!media && code.startsWith('media'))) return undefined;
      const before = '\n'.repeat(line - 1) + ' '.repeat(column);
      return parse(`${before}{{${code}}}`, options).body?.at(-1);
    },
  };
}

/** What is used of an instance that has a compiler. */
interface Compiler {
  parse: Parse;
  compile(input: unknown, options?: CompileOptions): unknown;
  readonly partials: { readonly [name: string]: unknown };
  readonly Utils: { escapeExpression(text: string): string };
}

type Parse = (input: unknown, options?: CompileOptions) => TreeNode;

interface CompileOptions {
  readonly noEscape?: boolean;
  readonly srcName?: string;
  readonly knownHelpersOnly?: boolean;
  readonly knownHelpers?: { readonly [name: string]: boolean };
}
