// The first answer of node:http without us.
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { report } from './report.js';

const server = createServer((_request, response) => response.end('body')).listen(
  0,
  '127.0.0.1',
  () => {
    const socket = connect(server.address().port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    socket.once('data', () => {
      report();
      server.close();
    });
  },
);
