import type { Site } from './site.js';

/** What a server's configuration needs of its place, beside the lines themselves. */
export type Place = (site: Site) => string;

/** The comment that a configuration begins with; all servers write comments with `#`. */
export function head(site: Site, server: string, place: Place): string[] {
  const { statics, media, rootFiles } = site;
  const folders = [
    `${JSON.stringify(statics.root)} under ${JSON.stringify(statics.prefix)}`,
    ...(media ? [`${JSON.stringify(media.root)} under ${JSON.stringify(media.prefix)}`] : []),
    ...(rootFiles === undefined ? [] : [`${JSON.stringify(rootFiles)} at the root`]),
  ];
  return [
    `Printed by: staticfiles deployment ${[server, ...options(site)].join(' ')}`,
    'It serves:',
    ...folders.map((folder) => `  ${folder}`),
    place(site),
    'Print it again when settings change.',
    ...statics.immutable.notes,
    ...site.notes,
  ].map((line) => `# ${line}`);
}

/** The command's options, for whoever prints it again. */
function options({ application, serverNames, port, root, snippet, brotli }: Site): string[] {
  return [
    ...(application === undefined ? [] : [`--proxy ${application}`]),
    ...serverNames.map((name) => `--server-name ${name}`),
    ...(port === undefined ? [] : [`--listen ${port}`]),
    ...(root === undefined ? [] : [`--root ${JSON.stringify(root)}`]),
    ...(snippet ? ['--snippet'] : []),
    ...(brotli ? ['--brotli'] : []),
  ];
}
