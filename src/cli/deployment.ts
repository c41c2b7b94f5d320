import { createStaticFiles } from '../static-files.js';
import { type Call, type Command, UsageError } from './command.js';
import { apacheConfiguration, apachePlace } from './deployment/apache.js';
import { caddyConfiguration, caddyPlace } from './deployment/caddy.js';
import { head, type Place } from './deployment/head.js';
import { nginxConfiguration, nginxPlace } from './deployment/nginx.js';
import { type Site, siteOf, type Wishes } from './deployment/site.js';

interface Server {
  /** Where its configuration goes, in a line. */
  readonly place: Place;
  configure(site: Site): string[];
}

const SERVERS: Readonly<Record<string, Server>> = {
  nginx: { place: nginxPlace, configure: nginxConfiguration },
  caddy: { place: caddyPlace, configure: caddyConfiguration },
  apache: { place: apachePlace, configure: apacheConfiguration },
};

export const deployment: Command = {
  name: 'deployment',
  summary: 'Print a configuration of nginx, Caddy or Apache for the collected files.',
  operands: 'nginx|caddy|apache',
  about: `Prints a configuration with which a web server serves what was collected, and uploaded files
(mediaRoot) and rootFiles too, as nearly as files.handler does as a configuration can. See
docs/deployment.md.`,
  options: {
    proxy: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'Where the application listens, which answers everything else.',
    },
    'server-name': {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: "The site's host name; may be given more than once.",
    },
    root: {
      type: 'string',
      value: 'PATH',
      help: "Where the collected files are on the server's machine; otherwise staticRoot.",
    },
    listen: {
      type: 'string',
      value: 'PORT',
      help: 'The port to listen to: 80; for Caddy with a name, those of HTTPS.',
    },
    snippet: {
      type: 'boolean',
      help: "Only what belongs into a server's block, for a configuration of your own.",
    },
    brotli: {
      type: 'boolean',
      help: 'nginx has its module brotli_static, which most lack. Caddy and Apache need none.',
    },
  },
  examples: [
    'staticfiles deployment nginx --server-name example.com --proxy 127.0.0.1:8000',
    'staticfiles deployment caddy --snippet > static.caddy',
  ],
  run,
};

async function run(call: Call): Promise<number> {
  const [name = '', ...others] = call.operands;
  const server = Object.hasOwn(SERVERS, name) ? SERVERS[name] : undefined;
  if (server === undefined || others.length > 0) {
    throw new UsageError('deployment needs one server: nginx, caddy or apache.');
  }
  if (call.has('brotli') && name !== 'nginx') {
    throw new UsageError(`--brotli is for nginx: ${name} serves brotli as it is.`);
  }
  const wishes = wishesOf(call);
  const site = await siteOf(createStaticFiles(await call.settings()), wishes);
  const lines = [...head(site, name, server.place), '', ...server.configure(site)];
  const configuration = `${lines.join('\n')}\n`;
  call.io.out(call.json ? `${JSON.stringify({ server: name, configuration })}\n` : configuration);
  return 0;
}

function wishesOf(call: Call): Wishes {
  const proxy = call.value('proxy');
  const listen = call.value('listen');
  const root = call.value('root');
  return {
    application: proxy === undefined ? undefined : hostAndPort(proxy),
    serverNames: call.values('server-name').map(hostName),
    port: listen === undefined ? undefined : portOf(listen),
    root: root === undefined ? undefined : absolute(root),
    snippet: call.has('snippet'),
    brotli: call.has('brotli'),
  };
}

function hostAndPort(value: string): string {
  const [, host, port = ''] =
    /^(?:http:\/\/)?([\w.-]+|\[[\da-f:.]+\]):(\d+)\/?$/i.exec(value) ?? [];
  if (host !== undefined && isPort(port)) return `${host}:${port}`;
  throw new UsageError(`--proxy is a host and a port such as 127.0.0.1:8000, not '${value}'.`);
}

function hostName(value: string): string {
  if (/^(?:\*\.)?[a-z\d](?:[a-z\d.-]*[a-z\d])?$/i.test(value)) return value;
  throw new UsageError(`--server-name is a host name such as example.com, not '${value}'.`);
}

function portOf(value: string): number {
  if (isPort(value)) return Number(value);
  throw new UsageError(`--listen is a port from 1 to 65535, not '${value}'.`);
}

function absolute(value: string): string {
  if (value.startsWith('/')) return value.replace(/(?<=.)\/+$/, '');
  throw new UsageError(
    `--root is the whole path of a folder, such as /srv/static, not '${value}'.`,
  );
}

function isPort(value: string): boolean {
  return /^[1-9]\d{0,4}$/.test(value) && Number(value) < 65_536;
}
