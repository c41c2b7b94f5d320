// node staticfiles.js PORT STATIC_ROOT hashed|plain [SETTINGS]: ours behind node:http; settings in JSON.
import { createServer } from 'node:http';
import { projectOf } from '../site.js';

const [, , port, root, storage, settings = '{}'] = process.argv;
const files = projectOf(storage, root, JSON.parse(settings));
createServer(files.handler).listen(Number(port), '127.0.0.1');
