// node staticfiles-express.js PORT STATIC_ROOT hashed|plain: ours behind Express.
import express from 'express';
import { projectOf } from '../site.js';

const [, , port, root, storage] = process.argv;
const app = express();
app.disable('x-powered-by');
app.use(projectOf(storage, root).handler);
app.listen(Number(port), '127.0.0.1');
