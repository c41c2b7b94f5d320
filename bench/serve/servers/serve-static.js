// node serve-static.js PORT STATIC_ROOT: serve-static on Express. It knows no compressed forms.
import express from 'express';
import serveStatic from 'serve-static';

const [, , port, root] = process.argv;
const app = express();
app.disable('x-powered-by');
app.use('/static', serveStatic(root, { maxAge: 31536000000, immutable: true, index: false }));
app.listen(Number(port), '127.0.0.1');
