// node sirv.js PORT STATIC_ROOT: sirv in its production mode, where files are listed once.
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import sirv from 'sirv';

const [, , port, root] = process.argv;
const options = { etag: true, brotli: true, gzip: true, maxAge: 31536000, immutable: true };
createServer(sirv(dirname(root), options)).listen(Number(port), '127.0.0.1');
