import { fileURLToPath } from 'node:url';
import { missing, nginxCommand } from './nginx.js';
import { CSS, FILM, SCRIPT } from './site.js';

/** What is asked for. `coding`: how it is to come, from those who know compressed forms. */
export const ROWS = {
  '1 KB CSS': { name: CSS },
  '100 KB JavaScript, brotli': {
    name: SCRIPT,
    headers: { 'Accept-Encoding': 'gzip, deflate, br, zstd' }, // Chrome's
    coding: 'br',
  },
  'a 304': { name: CSS, isConditional: true },
  '5 MB': { name: FILM },
};

/** What all others are compared with. */
export const BARE = 'bare node:http, constant Buffers';
export const SIRV = 'sirv';
const OURS = 'staticfiles';
const STREAMED = 'staticfiles, 5 MB streamed';

/** The least that ours should have of others' requests a second, by row. */
export const BARS = {
  '1 KB CSS': { [OURS]: { [BARE]: 0.9, [SIRV]: 3 } },
  '100 KB JavaScript, brotli': { [OURS]: { [BARE]: 0.9, [SIRV]: 3 } },
  'a 304': { [OURS]: { [BARE]: 0.9 } },
  '5 MB': { [OURS]: { [SIRV]: 2 }, [STREAMED]: { [SIRV]: 2 } },
};

function program(file, storage, more = []) {
  const path = fileURLToPath(new URL(`servers/${file}`, import.meta.url));
  return (port, site) => [
    process.execPath,
    path,
    String(port),
    site[storage ?? 'hashed'],
    ...(storage ? [storage] : []),
    ...more,
  ];
}

const ALL = Object.keys(ROWS);
const SMALLER_CACHE = JSON.stringify({ cache: { maxFileBytes: 1 << 20 } });

/**
 * The servers. Each has a `command` that runs it, and the `rows` that it is asked. `hasCodings`:
 * whether it sends the compressed forms that lie beside the files.
 */
export const CONTENDERS = {
  [BARE]: { command: program('bare.js') },
  [OURS]: { command: program('staticfiles.js', 'hashed') },
  [STREAMED]: {
    command: program('staticfiles.js', 'hashed', [SMALLER_CACHE]),
    rows: ['5 MB'],
  },
  'staticfiles, a plain name of hashedStorage': {
    command: program('staticfiles.js', 'hashed'),
    rows: ['1 KB CSS'],
    isPlain: true,
  },
  'staticfiles, fileSystemStorage': {
    command: program('staticfiles.js', 'plain'),
    isPlain: true,
  },
  'the bare handler on Express': {
    command: program('bare.js', undefined, ['express']),
    rows: ['1 KB CSS'],
  },
  'staticfiles on Express': { command: program('staticfiles-express.js', 'hashed') },
  [SIRV]: { command: program('sirv.js') },
  '@fastify/static': { command: program('fastify-static.js') },
  'serve-static on Express': { command: program('serve-static.js'), hasCodings: false },
  nginx: {
    command: (port, site) => nginxCommand(port, site.hashed, site.folder),
    missing,
  },
};

for (const contender of Object.values(CONTENDERS)) {
  contender.rows ??= ALL;
  contender.hasCodings ??= true;
}
