import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../free-port.js';
import type { HttpServer } from '../../listen.js';
import { run } from '../run.js';

/** A web server of Debian's packages. */
export interface WebServer {
  /** What the command calls it. */
  readonly name: 'nginx' | 'caddy' | 'apache';
  readonly program: string;
  /** Options of the command that this installation can take. */
  readonly options: readonly string[];
  /** A server's block of the user's own around a snippet. */
  block(port: number, snippet: string): string;
  /** The whole configuration around the printed one, and how the program is called with it. */
  wrap(folder: string, printed: string): { readonly file: string; readonly text: string };
  args(file: string): string[];
}

const isRoot = userInfo().uid === 0;
const BROTLI = '/usr/lib/nginx/modules/ngx_http_brotli_static_module.so';
const hasBrotli = existsSync(BROTLI);

const nginx: WebServer = {
  name: 'nginx',
  program: '/usr/sbin/nginx',
  options: hasBrotli ? ['--brotli'] : [],
  block: (port, snippet) => `server {\nlisten ${port};\n${snippet}}\n`,
  wrap: (folder, printed) => ({
    file: 'nginx.conf',
    text: `${hasBrotli ? `load_module ${BROTLI};` : ''}
daemon off;
worker_processes 1;
${isRoot ? 'user root;' : ''}
pid ${folder}/pid;
error_log stderr;
events {}
http {
  include /etc/nginx/mime.types;
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${folder}/${one};`).join(' ')}
${printed}
}`,
  }),
  args: (file) => ['-c', file, '-e', 'stderr'],
};

const caddy: WebServer = {
  name: 'caddy',
  program: '/usr/bin/caddy',
  options: [],
  block: (port, snippet) => `:${port} {\n${snippet}}\n`,
  wrap: (_, printed) => ({ file: 'Caddyfile', text: `{\n\tadmin off\n}\n${printed}` }),
  args: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
};

const MODULES =
  'mpm_event authz_core alias dir mime negotiation deflate filter rewrite headers proxy proxy_http env setenvif';
const apache: WebServer = {
  name: 'apache',
  program: '/usr/sbin/apache2',
  options: [],
  block: (port, snippet) => `Listen ${port}\n<VirtualHost *:${port}>\n${snippet}</VirtualHost>\n`,
  // As Debian sets it up: what its own files say must not get in the way.
  wrap: (folder, printed) => ({
    file: 'apache2.conf',
    text: `ServerRoot ${folder}
PidFile ${folder}/pid
Mutex file:${folder}
DefaultRuntimeDir ${folder}
ErrorLog /dev/stderr
ServerName localhost
${isRoot ? 'User www-data\nGroup www-data' : ''}
${MODULES.split(' ')
  .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
  .join('\n')}
TypesConfig /etc/mime.types
${['mime', 'negotiation', 'deflate', 'dir', 'setenvif'].map((name) => `IncludeOptional /etc/apache2/mods-available/${name}.conf`).join('\n')}
<Directory />
  Require all denied
</Directory>
${printed}`,
  }),
  args: (file) => ['-X', '-f', file],
};

export const WEB_SERVERS: readonly WebServer[] = [nginx, caddy, apache];

/** Whether it is there; tests print {@link missing} where it is not. */
export const isInstalled = ({ program }: WebServer) => existsSync(program);

export const missing = ({ program }: WebServer) =>
  `There is no ${program}. Get it with 'sh test/setup.sh'.`;

/** Has the command print a configuration for the project in `root`, and starts the server with it. */
export async function printAndStart(
  server: WebServer,
  root: string,
  options: readonly string[],
): Promise<HttpServer> {
  const port = await freePort();
  const args = ['deployment', server.name, '--listen', String(port), ...options];
  const { status, out, err } = await run(root, args);
  if (status !== 0) throw new Error(err);
  const site = options.includes('--snippet') ? server.block(port, out) : out;
  return startWebServer(server, site, port, root);
}

/** Starts a server with a configuration for that port; its own files lie in `root/server`. */
export async function startWebServer(
  server: WebServer,
  printed: string,
  port: number,
  root: string,
): Promise<HttpServer> {
  const folder = join(root, 'server');
  chmodSync(root, 0o755); // a server that root starts reads as somebody else
  mkdirSync(folder, { recursive: true });
  const { file, text } = server.wrap(folder, printed);
  writeFileSync(join(folder, file), text);
  const log = openSync(join(folder, 'error.log'), 'a');
  const child = spawn(server.program, server.args(join(folder, file)), {
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const exited = once(child, 'exit');
  try {
    await listening(child, port);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(
      `${server.name} does not run: ${error}\n${readFileSync(join(folder, 'error.log'), 'utf8')}`,
    );
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  // Little less than a hook may take, which would not tell why.
  for (const end = Date.now() + 100_000; Date.now() < end; ) {
    if (child.exitCode !== null) throw new Error(`It ended with status ${child.exitCode}.`);
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Nobody listens to port ${port}.`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}
