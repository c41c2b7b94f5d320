// node answer.js STATIC_ROOT NAME PATH: the first answer, to a request of this process's own.
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { createStaticFiles, hashedStorage } from 'staticfiles';
import { report } from './report.js';

const [, , staticRoot, , path] = process.argv;
const files = createStaticFiles({ debug: false, staticRoot, storage: hashedStorage() });
const server = createServer(files.handler).listen(0, '127.0.0.1', () => {
  const socket = connect(server.address().port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  socket.once('data', (answer) => {
    if (!answer.toString().startsWith('HTTP/1.1 200 ')) throw new Error(answer.toString());
    report();
    server.close();
  });
});
