import { IMMUTABLE, keptFor } from '../../cache-control.js';
import { SUFFIXES } from '../../codings.js';
import { literal } from './patterns.js';
import { type Folder, type Site, type StaticFolder, SUFFIX } from './site.js';
import { filled, indent, quotedPath } from './text.js';
import { disarming, OTHER, typeRows } from './types.js';

/** Where it goes. */
export function nginxPlace({ snippet }: Site): string {
  return snippet
    ? 'Include it in a server block.'
    : 'Put it where http includes files, such as /etc/nginx/conf.d/.';
}

/** A server block for nginx, or what belongs into one. https://nginx.org/en/docs/ */
export function nginxConfiguration(site: Site): string[] {
  const { statics, media } = site;
  const inner = [
    ...variables(site),
    ...types(),
    ...location(`^~ ${quoted(statics.prefix)}`, staticFolder(site)),
    ...(media ? location(`^~ ${quoted(media.prefix)}`, mediaFolder(media)) : []),
    ...(statics.prefix === '/' ? [] : siteRoot(site)),
    ...namedLocations(site),
  ];
  return site.snippet ? inner : ['server {', ...indent([...address(site), ...inner]), '}'];
}

function address({ serverNames, port = 80 }: Site): string[] {
  const names = serverNames.length > 0 ? [`server_name ${serverNames.join(' ')};`] : [];
  return [`listen ${port};`, `listen [::]:${port};`, ...names, ''];
}

/** In the server's block, where `if` with `set` does no harm; in a location it may. */
function variables({ statics, media, maxAge, brotli }: Site): string[] {
  const { prefix, root, immutable, downloads } = statics;
  const forms = formsOf(statics, brotli);
  const short = `set $staticfiles_cache "${keptFor(maxAge)}";`;
  const long = `set $staticfiles_cache "${IMMUTABLE}";`;
  const none = 'set $staticfiles_original "";';
  const lines = [
    '# For how long browsers keep a file.',
    short,
    ...immutable.patterns.map((pattern) => `if (${named(prefix, pattern)}) { ${long} }`),
    ...immutable.exceptions.map((pattern) => `if (${named(prefix, pattern)}) { ${short} }`),
    '# Which file it is, and which one it may be a compressed form of.',
    'set $staticfiles_name "";',
    `if ($uri ~ "^${literal(prefix)}(.+)$") { set $staticfiles_name $1; }`,
    none,
    `if ($uri ~ "^${literal(prefix)}(.+)${SUFFIX}$") { set $staticfiles_original $1; }`,
    ...downloads.map((pattern) => `if (${named(prefix, pattern)}) { ${none} }`),
    ...(forms.length > 0
      ? ['# Whether it has compressed forms itself.', 'set $staticfiles_vary "";']
      : []),
    ...forms.map(
      (form) =>
        `if (-f ${path(`${root}/`, `$staticfiles_name${form}`)}) { set $staticfiles_vary "Accept-Encoding"; }`,
    ),
  ];
  return [...lines, ...(media ? mediaVariables(media) : []), ''];
}

function mediaVariables({ prefix }: Folder): string[] {
  const { policy, policies, active } = disarming();
  const set = (name: string, value: string) => `set $staticfiles_${name} "${value}";`;
  const when = (pattern: string, then: string) =>
    `if ($uri ~* "^${literal(prefix)}.*${pattern}$") { ${then} }`;
  return [
    '# What uploads may do in a browser, and which it saves instead.',
    set('policy', policy),
    ...policies.map((one) => when(one.pattern, set('policy', one.policy))),
    set('disposition', ''),
    when(active, set('disposition', 'attachment')),
  ];
}

/** The suffixes of compressed forms that this nginx serves. */
function formsOf({ codings }: StaticFolder, brotli: boolean): string[] {
  const forms = codings.filter((coding) => coding === 'gzip' || (coding === 'br' && brotli));
  return forms.map((coding) => SUFFIXES[coding]);
}

function named(prefix: string, pattern: string): string {
  return `$uri ~ "^${literal(prefix)}(?:${pattern})$"`;
}

function types(): string[] {
  const rows = typeRows().map(({ type, extensions }) => `"${type}" ${extensions.join(' ')};`);
  return ['types_hash_max_size 4096;', 'types {', ...indent(filled(rows, 92)), '}', ''];
}

function location(match: string, lines: readonly string[]): string[] {
  return [`location ${match} {`, ...indent(lines), '}', ''];
}

function staticFolder({ statics, brotli }: Site): string[] {
  const { prefix, root, hidden, isPassedOn } = statics;
  const forms = formsOf(statics, brotli);
  return [
    ...folder(`alias ${path(`${root}/`)}`, isPassedOn),
    ...hidden.map((pattern) => `if (${named(prefix, pattern)}) { return 404; }`),
    `if (-f ${path(`${root}/`, '$staticfiles_original')}) { return 404; }`,
    ...(forms.includes('.br') ? ['brotli_static on;'] : []),
    // `any`: for caches in front too, which send `Via`. `gzip_vary` knows of gzip only.
    ...(forms.includes('.gz') ? ['gzip_static on;', 'gzip_proxied any;'] : []),
    ...(forms.length > 0 ? ['gzip_vary off;', 'add_header Vary $staticfiles_vary;'] : []),
    'add_header Cache-Control $staticfiles_cache;',
    ...HEADERS,
  ];
}

const NOSNIFF = 'add_header X-Content-Type-Options "nosniff" always;';
const HEADERS = ['add_header Access-Control-Allow-Origin "*" always;', NOSNIFF];

/** What every folder's location begins with; `try_files` makes of folders in it 404. */
function folder(place: string, isPassedOn: boolean): string[] {
  return [
    `${place};`,
    `default_type ${OTHER};`,
    'if_modified_since before;',
    'try_files $uri =404;',
    `error_page 404 ${isPassedOn ? '= @staticfiles_application' : '@staticfiles_missing'};`,
    'error_page 405 @staticfiles_method;',
  ];
}

function mediaFolder({ root }: Folder): string[] {
  return [
    ...folder(`alias ${path(`${root}/`)}`, false),
    'add_header Content-Security-Policy $staticfiles_policy always;',
    'add_header Content-Disposition $staticfiles_disposition;',
    NOSNIFF,
  ];
}

/** What is neither static nor an upload. */
function siteRoot({ rootFiles, application, maxAge, snippet }: Site): string[] {
  if (rootFiles !== undefined) {
    return location('/', [
      ...folder(`root ${path(rootFiles)}`, application !== undefined),
      `add_header Cache-Control "${keptFor(maxAge)}";`,
      ...HEADERS,
    ]);
  }
  if (application !== undefined) return location('/', proxy(application));
  // A server block of its own would answer with nginx's welcome page.
  return snippet ? [] : location('/', ['return 404;']);
}

function namedLocations({ statics, rootFiles, application }: Site): string[] {
  const text = (status: number, body: string, ...lines: string[]) => [
    'types {}',
    'default_type "text/plain; charset=utf-8";',
    ...lines,
    'add_header Cache-Control "no-store" always;',
    NOSNIFF,
    `return ${status} "${body}\\n";`,
  ];
  const isNamed = statics.isPassedOn || rootFiles !== undefined;
  return [
    ...location('@staticfiles_missing', text(404, 'Not found')),
    ...location(
      '@staticfiles_method',
      text(405, 'Method not allowed', 'add_header Allow "GET, HEAD" always;'),
    ),
    ...(application !== undefined && isNamed
      ? location('@staticfiles_application', proxy(application))
      : []),
  ].slice(0, -1);
}

function proxy(application: string): string[] {
  return [
    `proxy_pass http://${application};`,
    'proxy_http_version 1.1;',
    'proxy_set_header Host $http_host;',
    'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    'proxy_set_header X-Forwarded-Proto $scheme;',
  ];
}

/** A text where nginx looks for no variables. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Where it does look for them, there is no way to say that a `$` begins none. */
function path(root: string, variable = ''): string {
  return quotedPath(root, /[$\\]/, 'nginx').replace(/"$/, () => `${variable}"`);
}
