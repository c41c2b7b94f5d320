import { IMMUTABLE, keptFor } from '../../cache-control.js';
import { type Coding, SUFFIXES } from '../../codings.js';
import { literal } from './patterns.js';
import { type Folder, type Site, type StaticFolder, SUFFIX } from './site.js';
import { indent, quotedPath } from './text.js';
import { disarming, OTHER, typeRows } from './types.js';

/** Where it goes, and what it needs there. */
export function apachePlace({ snippet, application }: Site): string {
  const modules = `rewrite headers${application === undefined ? '' : ' proxy_http'}`;
  const place = snippet ? 'Include it in a <VirtualHost>' : 'Put it into sites-enabled';
  return `${place}. It needs these modules: a2enmod ${modules}`;
}

/** A virtual host for Apache, or what belongs into one. https://httpd.apache.org/docs/2.4/ */
export function apacheConfiguration(site: Site): string[] {
  const { statics, media, rootFiles, application } = site;
  const folders = [
    { prefix: statics.prefix, lines: staticFolder(statics, site.maxAge) },
    ...(media ? [{ prefix: media.prefix, lines: mediaFolder(media) }] : []),
    ...(rootFiles === undefined ? [] : [{ prefix: '/', lines: rootFolder(rootFiles, site) }]),
  ].sort((a, b) => b.prefix.length - a.prefix.length);
  const inner = [
    'RewriteEngine On',
    'TraceEnable Off',
    '',
    ...folders.flatMap(({ lines }) => [...lines, '']),
    ...(application === undefined ? [''] : proxy(application)),
  ].slice(0, -1);
  if (site.snippet) return inner;
  const { port = 80 } = site;
  return [
    // Debian's ports.conf has 80.
    ...(port === 80 ? [] : [`Listen ${port}`]),
    `<VirtualHost *:${port}>`,
    ...indent([...names(site), ...inner]),
    '</VirtualHost>',
  ];
}

function names({ serverNames: [first, ...others] }: Site): string[] {
  if (first === undefined) return [];
  return [`ServerName ${first}`, ...others.map((name) => `ServerAlias ${name}`), ''];
}

function staticFolder(statics: StaticFolder, maxAge: number): string[] {
  const { prefix, root, hidden, codings, downloads, immutable, isPassedOn } = statics;
  const own = literal(prefix);
  const rule = (pattern: string, flags: string) =>
    `RewriteRule "^${own}(?:${pattern})$" "-" [${flags}]`;
  return [
    ...hidden.map((pattern) => rule(pattern, missFlag(isPassedOn))),
    '# A compressed form under its own URL.',
    ...downloads.map((pattern) => `RewriteCond "%{REQUEST_URI}" "!^${own}(?:${pattern})$"`),
    `RewriteCond ${tested(root)}/$1 -f`,
    `RewriteRule "^${own}(.+)${SUFFIX}$" "-" [${missFlag(isPassedOn)}]`,
    ...filesOnly('static', statics, isPassedOn),
    ...immutable.patterns.map((pattern) => rule(pattern, 'E=staticfiles_immutable:1')),
    ...immutable.exceptions.map((pattern) => rule(pattern, 'E=!staticfiles_immutable')),
    ...(codings.length > 0 ? negotiation(own, root, codings) : []),
    `RewriteRule "^${own}" "-" [L]`,
    ...answered('static', [
      ...codings.flatMap(encoding),
      `Header set Cache-Control "${keptFor(maxAge)}"`,
      ...(immutable.patterns.length > 0 ? [KEPT] : []),
      'Header unset Cache-Control "expr=%{REQUEST_STATUS} -ge 400"',
      ...(codings.length > 0 ? ['Header set Vary "Accept-Encoding" env=staticfiles_vary'] : []),
      CORS,
    ]),
  ];
}

const KEPT = `Header set Cache-Control "${IMMUTABLE}" env=staticfiles_immutable`;

/** What the rules call the folder that a request's file is in. */
type Kind = 'static' | 'media' | 'root';

/** A miss is the application's, or none. */
const missFlag = (isPassedOn: boolean) => (isPassedOn ? 'L' : 'R=404');

/** What is no file is a miss. */
function filesOnly(kind: Kind, { prefix, root }: Folder, isPassedOn: boolean): string[] {
  const own = literal(prefix);
  return [
    ...(isPassedOn ? [] : misses(own)),
    `Alias ${path(prefix)} ${path(`${root}/`)}`,
    `RewriteCond ${tested(root)}/$1 !-f`,
    `RewriteRule "^${own}(.*)$" "-" [${missFlag(isPassedOn)}]`,
    'RewriteCond "%{REQUEST_METHOD}" "!^(?:GET|HEAD)$"',
    `RewriteRule "^${own}" "-" [R=405]`,
    `RewriteRule "^${own}" "-" [E=staticfiles:${kind},E=no-proxy:1]`,
    '# Apache goes by every extension of a name; here the last one alone counts.',
    `RewriteRule "^${own}(?!.*\\.(?:${extensions().join('|')})$)" "-" [NC,T=${OTHER}]`,
  ];
}

function misses(own: string): string[] {
  const is = (status: number) => `"expr=%{REQUEST_STATUS} -eq ${status}"`;
  return [
    `<LocationMatch "^${own}">`,
    ...indent([
      'ErrorDocument 404 "Not found"',
      `Header always set Content-Type "text/plain; charset=utf-8" ${is(404)}`,
      `Header always set Cache-Control "no-store" ${is(404)}`,
      `Header always set Cache-Control "no-store" ${is(405)}`,
      `Header always set Allow "GET, HEAD" ${is(405)}`,
      NOSNIFF,
    ]),
    '</LocationMatch>',
  ];
}

function extensions(): string[] {
  return typeRows().flatMap((row) => row.extensions);
}

/** By whether a coding is taken, `*` and `q=0` included; by which one the request likes best, it cannot. */
function negotiation(own: string, root: string, codings: readonly Coding[]): string[] {
  const isThere = (coding: Coding) => `RewriteCond ${tested(root)}/$1${SUFFIXES[coding]} -f`;
  const any = codings.map(
    (coding, at) => isThere(coding) + (at < codings.length - 1 ? ' [OR]' : ''),
  );
  return [
    '# The compressed form that the request takes.',
    ...any,
    `RewriteRule "^${own}(.+)$" "-" [E=staticfiles_vary:1]`,
    ...codings.flatMap((coding) => [
      `RewriteCond "%{HTTP:Accept-Encoding}" "(?:^|,)\\s*(?:${coding}|\\*)\\s*(?:,|$|;\\s*q=(?!0(?:\\.0*)?\\s*(?:,|$)))" [NC]`,
      `RewriteCond "%{HTTP:Accept-Encoding}" "!(?:^|,)\\s*${coding}\\s*;\\s*q=0(?:\\.0*)?\\s*(?:,|$)" [NC]`,
      isThere(coding),
      `RewriteRule "^${own}(.+)$" ${tested(root)}/$1${SUFFIXES[coding]} [E=staticfiles_form:${coding},L]`,
    ]),
  ];
}

function encoding(coding: Coding): string[] {
  const suffix = SUFFIXES[coding];
  return [
    `<If "reqenv('staticfiles_form') == '${coding}'">`,
    // Debian's mime.conf takes .br for Breton.
    ...indent([
      `RemoveType ${suffix}`,
      `RemoveLanguage ${suffix}`,
      `AddEncoding ${coding} ${suffix}`,
    ]),
    '</If>',
  ];
}

const CORS = 'Header set Access-Control-Allow-Origin "*"';

const NOSNIFF = 'Header always set X-Content-Type-Options "nosniff"';

/** What goes for the files of a folder, and for nothing else that may be under its path. */
function answered(kind: Kind, lines: readonly string[]): string[] {
  const types = typeRows().map((row) => `AddType "${row.type}" ${row.extensions.join(' ')}`);
  return [
    `<If "reqenv('staticfiles') == '${kind}'">`,
    ...indent([
      'Require all granted',
      'SetHandler default-handler',
      'RemoveEncoding br gz zst',
      ...types,
      ...lines,
      NOSNIFF,
    ]),
    '</If>',
  ];
}

function mediaFolder(media: Folder): string[] {
  const own = literal(media.prefix);
  const { policy, policies, active } = disarming();
  const rule = (pattern: string, variable: string) =>
    `RewriteRule "^${own}.*${pattern}$" "-" [NC,E=staticfiles_${variable}:1]`;
  return [
    ...filesOnly('media', media, false),
    rule(active, 'active'),
    ...policies.map(({ pattern }, at) => rule(pattern, `policy${at}`)),
    `RewriteRule "^${own}" "-" [L]`,
    ...answered('media', [
      `Header set Content-Security-Policy "${policy}"`,
      ...policies.map(
        (one, at) =>
          `Header set Content-Security-Policy "${one.policy}" env=staticfiles_policy${at}`,
      ),
      'Header set Content-Disposition "attachment" env=staticfiles_active',
    ]),
  ];
}

/** Files at the site's root. */
function rootFolder(root: string, { maxAge, application }: Site): string[] {
  return [
    ...filesOnly('root', { prefix: '/', root }, application !== undefined),
    ...answered('root', [`Header set Cache-Control "${keptFor(maxAge)}"`, CORS]),
  ];
}

function proxy(application: string): string[] {
  return [
    'ProxyPreserveHost On',
    'RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}',
    `ProxyPass "/" "http://${application}/"`,
    `ProxyPassReverse "/" "http://${application}/"`,
    '',
  ];
}

/** `\${NAME}` stands for a variable wherever it is written. */
function path(text: string): string {
  return quotedPath(text, /\$\{|\\/, 'Apache');
}

/** A path for mod_rewrite, which has variables of its own, and no way to write a quote in quotes. */
function tested(root: string): string {
  path(root); // it may be refused
  return root.replace(/[\0-\x7f]/g, (one) => (/[\w/.,:+~-]/.test(one) ? one : `\\${one}`));
}
