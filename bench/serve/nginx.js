import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';

const { status, stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8' });
const modules = /--modules-path=(\S+)/.exec(stderr ?? '')?.[1];
const brotli = modules && join(modules, 'ngx_http_brotli_static_module.so');

/** Why there is no nginx to compare with; `undefined`: there is. */
export const missing =
  status !== 0
    ? 'it is not installed (Debian: nginx-light, libnginx-mod-http-brotli-static)'
    : existsSync(brotli ?? '')
      ? undefined
      : 'its module brotli_static is not installed (Debian: libnginx-mod-http-brotli-static)';

/** The command that runs nginx with one worker, with our headers, over a collected folder. */
export function nginxCommand(port, staticRoot, folder) {
  const own = join(folder, 'nginx');
  mkdirSync(own, { recursive: true });
  const file = join(own, 'nginx.conf');
  writeFileSync(file, configuration(port, staticRoot, own));
  return ['nginx', '-e', 'stderr', '-c', file];
}

function configuration(port, staticRoot, own) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `load_module ${brotli};
user ${userInfo().username}; worker_processes 1; daemon off; pid ${own}/pid; error_log stderr error;
events { worker_connections 1024; }
http {
  types { text/css css; text/javascript js; video/mp4 mp4; } charset utf-8;
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  gzip_static on; brotli_static on; open_file_cache max=1000; open_file_cache_valid 60s;
  ${temporary.map((of) => `${of}_temp_path ${own}/${of};`).join(' ')}
  add_header Cache-Control "public, max-age=315360000, immutable"; add_header Vary Accept-Encoding;
  add_header X-Content-Type-Options nosniff; add_header Access-Control-Allow-Origin *;
  server { listen 127.0.0.1:${port}; root ${dirname(staticRoot)}; }
}
`;
}
