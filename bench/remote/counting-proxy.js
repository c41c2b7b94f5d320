import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** Rather less than any store keeps an idle connection open. */
const IDLE_MS = 20_000;

/**
 * An HTTP proxy on a free port of this machine that counts what passes through it. It counts for one
 * client at a time: `start()` sets all to nothing.
 *
 * @param origin of the server behind it, such as `http://127.0.0.1:18080`
 */
export async function countingProxy(origin) {
  const { hostname, port } = new URL(origin);
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
  const sockets = new Set();
  let latency = 0;
  let counts = nothing();

  const server = createServer(handle);
  // `Expect: 100-continue` is the origin's to answer: it may refuse a large body before it is sent.
  server.on('checkContinue', handle);

  async function handle(incoming, outgoing) {
    const own = counts;
    add(own.requests, kindOf(incoming));
    own.inFlight++;
    own.mostInFlight = Math.max(own.mostInFlight, own.inFlight);
    outgoing.on('close', () => own.inFlight--);
    if (latency > 0) await pause(latency);
    forward(incoming, outgoing, own);
  }

  function forward(incoming, outgoing, own) {
    // The fields as the client wrote them, for they are signed.
    const { method, url: path, rawHeaders: headers } = incoming;
    const onward = request({ hostname, port, agent, method, path, headers }, (answer) => {
      add(own.statuses, answer.statusCode);
      outgoing.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    // Swift puts a body behind the fields of its 404 to HEAD, which breaks off a connection, not an answer.
    onward.on('error', () => {
      if (!outgoing.headersSent) outgoing.destroy();
    });
    outgoing.on('close', () => onward.destroy());
    if (incoming.headers.expect === undefined) {
      incoming.pipe(onward);
      return;
    }
    onward.on('continue', () => {
      outgoing.writeContinue();
      incoming.pipe(onward);
    });
    onward.flushHeaders();
  }

  server.keepAliveTimeout = 3 * IDLE_MS;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      counts.connections++;
      counts.sent += socket.bytesRead;
      counts.received += socket.bytesWritten;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Begins to count anew; each request is held up for `milliseconds` before it goes on. */
    start(milliseconds = 0) {
      latency = milliseconds;
      counts = nothing();
    },
    /** What the client has done since, when all its connections are closed. */
    async stop() {
      const closed = [...sockets].map((socket) => once(socket, 'close'));
      await Promise.all(closed);
      const { inFlight: _, ...own } = counts;
      return own;
    },
    close() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

/** A request's method; `LIST` and `COPY` where stores ask another price for it. */
function kindOf({ method, url, headers }) {
  if (method === 'GET' && /[?&](?:list-type|prefix|delimiter)=/.test(url)) return 'LIST';
  return headers['x-amz-copy-source'] === undefined ? method : 'COPY';
}

function add(counts, key) {
  counts[key] = (counts[key] ?? 0) + 1;
}

/** Bytes are those on the wire, header fields and all. */
function nothing() {
  return {
    requests: {},
    statuses: {},
    connections: 0,
    sent: 0,
    received: 0,
    inFlight: 0,
    mostInFlight: 0,
  };
}
