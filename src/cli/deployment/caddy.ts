import { IMMUTABLE, keptFor } from '../../cache-control.js';
import { SUFFIXES } from '../../codings.js';
import { SetupError } from '../../errors.js';
import { type Folder, type Site, type StaticFolder, SUFFIX } from './site.js';
import { indent, quotedPath } from './text.js';
import { disarming, OTHER, typeRows } from './types.js';

/** Where it goes. */
export function caddyPlace({ snippet }: Site): string {
  return snippet ? "Import it in a site's block." : 'Import it in /etc/caddy/Caddyfile.';
}

/** A site for Caddy, or what belongs into one. https://caddyserver.com/docs/caddyfile */
export function caddyConfiguration(site: Site): string[] {
  const { statics, media, snippet } = site;
  const inner = [
    ...types(),
    ...block(`handle_path ${matched(statics.prefix)}`, staticFolder(statics, site)),
    ...(media ? block(`handle_path ${matched(media.prefix)}`, mediaFolder(media)) : []),
    ...(statics.prefix === '/' ? [] : siteRoot(site)),
  ].slice(0, -1);
  const lines = snippet ? inner : [`${address(site)} {`, ...indent(inner), '}'];
  return lines.map((line) => line.replace(/^ +/, (spaces) => '\t'.repeat(spaces.length / 4)));
}

/** A name without a port makes Caddy get a certificate, and listen to both ports. */
function address({ serverNames, port }: Site): string {
  if (serverNames.length === 0) return `:${port ?? 80}`;
  const origin = (name: string) => (port === undefined ? name : `http://${name}:${port}`);
  return serverNames.map(origin).join(', ');
}

function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...indent(lines), '}', ''];
}

/** Go asks the system's tables otherwise, which differ from machine to machine. */
function types(): string[] {
  const rows = typeRows().map(
    ({ type, extensions }) => `"~(?i)^\\.(?:${extensions.join('|')})$" "${type}"`,
  );
  return block('map {file.ext} {staticfiles_type}', [...rows, `default ${OTHER}`]);
}

function staticFolder(statics: StaticFolder, { maxAge, application }: Site): string[] {
  const { root, codings, hidden, downloads, isPassedOn } = statics;
  const suffixes = codings.map((coding) => `{path}${SUFFIXES[coding]}`);
  return [
    `root * ${path(root)}`,
    ...cache(statics, maxAge),
    ...block('@staticfiles_file', [
      'file {path}',
      ...['/$', ...hidden.map((pattern) => `^/(?:${pattern})$`)].map(
        (pattern) => `not path_regexp "${pattern}"`,
      ),
      ...block('not', [
        `path_regexp "${SUFFIX}$"`,
        'file {dir}/{file.base}',
        ...downloads.map((pattern) => `not path_regexp "^/(?:${pattern})$"`),
      ]).slice(0, -1),
    ]),
    ...block('handle @staticfiles_file', [
      ...GET_ONLY,
      'header Cache-Control {staticfiles_cache}',
      'header Access-Control-Allow-Origin *',
      ...TYPE,
      ...(codings.length > 0
        ? [
            `@staticfiles_forms file ${suffixes.join(' ')}`,
            // The file server adds its own, and only to what is compressed.
            ...block('header @staticfiles_forms', ['Vary Accept-Encoding', 'defer']).slice(0, -1),
          ]
        : []),
      ...fileServer(codings),
    ]),
    ...(isPassedOn
      ? block('handle', ['rewrite * {http.request.orig_uri}', `reverse_proxy ${application}`])
      : MISSING),
  ].slice(0, -1);
}

/** The first row that matches counts. */
function cache({ immutable }: StaticFolder, maxAge: number): string[] {
  const short = `"${keptFor(maxAge)}"`;
  const row = (value: string) => (pattern: string) => `"~^/(?:${pattern})$" ${value}`;
  return block('map {path} {staticfiles_cache}', [
    ...immutable.exceptions.map(row(short)),
    ...immutable.patterns.map(row(`"${IMMUTABLE}"`)),
    `default ${short}`,
  ]);
}

const GET_ONLY = [
  '@staticfiles_method not method GET HEAD',
  ...block('handle @staticfiles_method', [
    'header Allow "GET, HEAD"',
    ...plain('"Method not allowed" 405'),
  ]),
];

const MISSING = block('handle', plain('"Not found" 404'));

function plain(answer: string): string[] {
  return [
    'header Cache-Control no-store',
    'header X-Content-Type-Options nosniff',
    `respond ${answer}`,
  ];
}

const TYPE = ['header X-Content-Type-Options nosniff', 'header Content-Type {staticfiles_type}'];

function fileServer(codings: readonly string[] = []): string[] {
  const forms = codings.length > 0 ? [`precompressed ${codings.join(' ')}`] : [];
  return block('file_server', [...forms, 'disable_canonical_uris']).slice(0, -1);
}

function mediaFolder({ root }: Folder): string[] {
  const { policy, policies, active } = disarming();
  return [
    `root * ${path(root)}`,
    ...block('map {file.ext} {staticfiles_policy}', [
      ...policies.map((one) => `"~(?i)^${one.pattern}$" "${one.policy}"`),
      `default "${policy}"`,
    ]),
    ...block('@staticfiles_file', ['file {path}', 'not path_regexp "/$"']),
    ...block('handle @staticfiles_file', [
      ...GET_ONLY,
      'header Content-Security-Policy {staticfiles_policy}',
      `@staticfiles_active path_regexp "(?i)${active}$"`,
      'header @staticfiles_active Content-Disposition attachment',
      ...TYPE,
      ...fileServer(),
    ]),
    ...MISSING,
  ].slice(0, -1);
}

/** What is neither static nor an upload. */
function siteRoot({ rootFiles, application, maxAge, snippet }: Site): string[] {
  const lines: string[] = [];
  if (rootFiles !== undefined) {
    const root = path(rootFiles);
    lines.push(
      ...block('@staticfiles_root', [
        'method GET HEAD',
        ...block('file', [`root ${root}`, 'try_files {path}']).slice(0, -1),
        'not path_regexp "/$"',
      ]),
      ...block('handle @staticfiles_root', [
        `root * ${root}`,
        `header Cache-Control "${keptFor(maxAge)}"`,
        'header Access-Control-Allow-Origin *',
        ...TYPE,
        ...fileServer(),
      ]),
    );
  }
  if (application !== undefined) lines.push(...block('handle', [`reverse_proxy ${application}`]));
  // Otherwise Caddy answers 200 to what nobody answers.
  else if (!snippet) lines.push(...MISSING);
  return lines;
}

/** Caddy finds placeholders in paths, and patterns of files. */
function path(root: string): string {
  return quotedPath(root, /[{*?[\\]/, 'Caddy');
}

/** Paths are matched with patterns of their own, and prefixes cut off in the encoded form. */
function matched(prefix: string): string {
  if (/^[\x20-\x7e]*$/.test(prefix) && !/[{}*?[\\%]/.test(prefix)) {
    return `"${prefix.replaceAll('"', '\\"')}*"`;
  }
  throw new SetupError(
    `A configuration of Caddy has no way to write the base URL's path '${prefix}': let it be of ASCII, without any of {}*?[\\%.`,
  );
}
