import type { Coding } from './codings.js';
import type { Finder } from './finder.js';
import type { Storage } from './storage.js';

/** A storage, or a function that is handed the settings and answers one. */
export type StorageSetting = Storage | ((settings: ResolvedSettings) => Storage);

/** A finder, or a function that is handed the settings and answers one. */
export type FinderSetting = Finder | ((settings: ResolvedSettings) => Finder);

/** A folder of `dirs`: a path, or a path whose files are named under a prefix. */
export type SourceDir = string | { readonly prefix: string; readonly dir: string };

/** What becomes of references in style sheets and scripts. */
export interface ReferenceSettings {
  /**
   * Whether a reference to a file that is not there is a warning, or an error that stops collecting.
   * @default 'warn'
   */
  readonly missing?: 'warn' | 'error' | undefined;
  /**
   * References that are left as they are without a warning, each `'file glob:target glob'`: globs of
   * the file that refers, and of the name that is meant, or of its spelling where that leads nowhere.
   * @default []
   */
  readonly ignore?: readonly string[] | undefined;
}

/** What the handler keeps in memory of the files that it serves in production. */
export interface CacheSettings {
  /**
   * Of all files together, in bytes; the least recently used give way.
   * @default 67_108_864 (64 MiB)
   */
  readonly maxBytes?: number | undefined;
  /**
   * Of one file, in bytes; larger ones are read from the disk at each request.
   * @default 8_388_608 (8 MiB)
   */
  readonly maxFileBytes?: number | undefined;
}

/**
 * Header fields for a file, besides ours or in their place: by its name, and the URL that it is
 * served at. Called once a file in production, at each request in development.
 */
export type HeadersSetting = (name: string, url: string) => Readonly<Record<string, string>>;

/** What a project says of its static files. Every setting may be left out. */
export interface Settings {
  /**
   * The base URL of static files; Django's STATIC_URL. Ends in `/`. A path (`/static/`), an absolute
   * URL, `//host/…`, or relative (`static/`): then it is put under `scriptName`.
   * @default '/static/'
   */
  readonly staticUrl?: string | undefined;
  /**
   * The folder that `collectstatic` fills; Django's STATIC_ROOT. Needed by storages on this machine.
   * @default none
   */
  readonly staticRoot?: string | undefined;
  /**
   * Folders of source files besides the applications'; Django's STATICFILES_DIRS.
   * @default []
   */
  readonly dirs?: readonly SourceDir[] | undefined;
  /**
   * Folders of applications, each with its files in `static/`; Django's INSTALLED_APPS.
   * @default []
   */
  readonly apps?: readonly string[] | undefined;
  /**
   * Where source files come from, the first match winning; Django's STATICFILES_FINDERS.
   * @default [dirsFinder(), appDirsFinder()]
   */
  readonly finders?: readonly FinderSetting[] | undefined;
  /**
   * Where collected files go and what URL a name has; Django's STATICFILES_STORAGE.
   * @default fileSystemStorage()
   */
  readonly storage?: StorageSetting | undefined;
  /**
   * The base URL of uploaded files, by the rules of `staticUrl`, and not the same; Django's MEDIA_URL.
   * @default none: the media prefix is empty
   */
  readonly mediaUrl?: string | undefined;
  /**
   * The folder of uploaded files, and not `staticRoot`; Django's MEDIA_ROOT.
   * @default none
   */
  readonly mediaRoot?: string | undefined;
  /**
   * Development: files come from the finders, and unknown names fail at once; Django's DEBUG.
   * @default process.env.NODE_ENV !== 'production'
   */
  readonly debug?: boolean | undefined;
  /**
   * Shell patterns of files that are not collected, matched against each part of a path and the
   * whole of it; Django's `ignore_patterns`.
   * @default ['CVS', '.*', '*~']
   */
  readonly ignore?: readonly string[] | undefined;
  /**
   * The path under which the application is mounted, with or without slashes at its ends; Django's
   * SCRIPT_NAME.
   * @default '/'
   */
  readonly scriptName?: string | undefined;
  /**
   * What becomes of references in style sheets and scripts that lead nowhere, or should stay as they
   * are.
   * @default { missing: 'warn', ignore: [] }
   */
  readonly references?: ReferenceSettings | undefined;
  /**
   * Names that hold a hash of their content already, as a bundler's do: a glob, several, or a
   * function that says so of a name. They are kept as they are, and browsers keep them for good;
   * WhiteNoise's WHITENOISE_IMMUTABLE_FILE_TEST.
   * @default none
   */
  readonly prehashed?: string | readonly string[] | ((name: string) => boolean) | undefined;
  /**
   * What collected files are compressed with besides: `true` is brotli and gzip, a list says which.
   * `'zstd'` needs Node 22.15 or later.
   * @default false
   */
  readonly compress?: boolean | readonly Coding[] | undefined;
  /**
   * For how many seconds browsers and caches keep a collected file whose name has no hash;
   * WhiteNoise's WHITENOISE_MAX_AGE.
   * @default 60
   */
  readonly maxAge?: number | undefined;
  /**
   * Adds header fields to the answers of the handler, or replaces ours, for all files but uploads;
   * WhiteNoise's WHITENOISE_ADD_HEADERS_FUNCTION.
   * @default none
   */
  readonly headers?: HeadersSetting | undefined;
  /**
   * A folder whose files the handler serves at the site's root, such as `favicon.ico` and
   * `robots.txt`; WhiteNoise's WHITENOISE_ROOT. In production they are listed once.
   * @default none
   */
  readonly rootFiles?: string | undefined;
  /**
   * How much memory the handler uses for files in production; `false`: none.
   * @default { maxBytes: 64 MiB, maxFileBytes: 8 MiB }
   */
  readonly cache?: CacheSettings | false | undefined;
  /**
   * Whether the handler hands a request under the base URL that it has no file for to `next()`;
   * otherwise it answers 404 itself.
   * @default false
   */
  readonly fallthrough?: boolean | undefined;
  /**
   * The folder that relative paths are relative to; Django's BASE_DIR by custom.
   * @default the configuration file's folder; in a program, the working directory
   */
  readonly baseDir?: string | undefined;
}

/** Settings with every default filled in, every path absolute and every base URL complete. */
export interface ResolvedSettings {
  readonly staticUrl: string;
  readonly staticRoot: string | undefined;
  readonly dirs: readonly { readonly prefix: string; readonly dir: string }[];
  readonly apps: readonly string[];
  /** `undefined`: the two that Django has too, `dirsFinder()` and `appDirsFinder()`. */
  readonly finders: readonly FinderSetting[] | undefined;
  /** `undefined`: `fileSystemStorage()`. */
  readonly storage: StorageSetting | undefined;
  /** Empty where there is none. */
  readonly mediaUrl: string;
  readonly mediaRoot: string | undefined;
  readonly debug: boolean;
  readonly ignore: readonly string[];
  readonly scriptName: string;
  readonly references: { readonly missing: 'warn' | 'error'; readonly ignore: readonly string[] };
  /** Globs or a predicate; `undefined`: no name. */
  readonly prehashed: readonly string[] | ((name: string) => boolean) | undefined;
  /** Empty: files are not compressed. */
  readonly compress: readonly Coding[];
  readonly maxAge: number;
  readonly headers: HeadersSetting | undefined;
  readonly rootFiles: string | undefined;
  /** In bytes; without a cache, 0. */
  readonly cache: { readonly maxBytes: number; readonly maxFileBytes: number };
  readonly fallthrough: boolean;
  readonly baseDir: string;
}

/**
 * Every setting's default. `undefined`: there is none, or it hangs on where and how the process
 * runs (`debug`, `baseDir`) or on parts that the composition root builds (`finders`, `storage`).
 */
export const DEFAULTS = Object.freeze({
  staticUrl: '/static/',
  staticRoot: undefined,
  dirs: Object.freeze([]),
  apps: Object.freeze([]),
  finders: undefined,
  storage: undefined,
  mediaUrl: undefined,
  mediaRoot: undefined,
  debug: undefined,
  ignore: Object.freeze(['CVS', '.*', '*~']),
  scriptName: '/',
  references: Object.freeze({ missing: 'warn', ignore: Object.freeze([]) }),
  prehashed: undefined,
  compress: false,
  maxAge: 60,
  headers: undefined,
  rootFiles: undefined,
  cache: Object.freeze({ maxBytes: 64 * 2 ** 20, maxFileBytes: 8 * 2 ** 20 }),
  fallthrough: false,
  baseDir: undefined,
}) satisfies { readonly [Key in keyof Required<Settings>]: Settings[Key] };

/** Types a configuration file's settings, and answers them as they are. */
export function defineConfig(settings: Settings): Settings {
  return settings;
}
