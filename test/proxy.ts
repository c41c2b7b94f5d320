import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as send,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { pick, randomNumbers } from './collect/random.js';

/** What can go wrong between a program and a store. */
export type Fault =
  /** An answer 503 in the words of the store, which is not asked. */
  | '503'
  /** The connection breaks before anything reached the store. */
  | 'reset-before'
  /** The store does it, and the connection breaks before the answer: nobody knows that it was done. */
  | 'reset-after'
  /** The store is asked later. */
  | 'delay'
  /** The connection breaks amid the answer: half of the body comes, or half of the head where there is none. */
  | 'truncate'
  /** There never is an answer, and the store is not asked. */
  | 'hang';

/** An answer of the test's own; the store is not asked. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Faults {
  /** The part of the requests that meet one: 0.1 is a tenth. */
  readonly rate: number;
  /** The same requests in the same order meet the same faults. @default 1 */
  readonly seed?: number;
  /** `reset` is before or after, by chance. @default ['503', 'reset', 'delay', 'truncate'] */
  readonly kinds?: readonly (Fault | 'reset')[];
}

/** A request that came by. */
export interface Exchange {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** That of the answer, also where it was lost on its way; none before there is one. */
  readonly status: number | undefined;
  /** What went wrong on purpose; `answer` is one of the test's own, `origin` a store that was not there. */
  readonly fault: Fault | 'answer' | 'origin' | undefined;
  /** Of the request's body, in bytes, as far as it was read. */
  readonly bytesIn: number;
  /** Of the answer's body, in bytes, as far as it was sent. */
  readonly bytesOut: number;
}

/** What happens to a request; without an opinion, chance decides by `faults`. */
export type Verdict = Fault | 'pass' | Answer | undefined;

export interface ProxyOptions {
  readonly faults?: Faults | undefined;
  readonly before?: StoreProxy['before'];
  /** How long a delay is, in milliseconds. @default 300 */
  readonly delayMs?: number;
}

export interface StoreProxy {
  /** Its origin: `http://127.0.0.1:1234`. */
  readonly url: string;
  /** All that came by, in order. */
  readonly requests: readonly Exchange[];
  /** How many came by, of one method or of all. */
  count(method?: string): number;
  /** Forgets what came by; faults and hook stay. */
  reset(): void;
  /** May be changed at any time; setting it starts the sequence of its seed again. */
  faults: Faults | undefined;
  /** Is asked about each request, which waits for the answer. */
  before: ((request: Exchange) => Verdict | Promise<Verdict>) | undefined;
  /** The store is away: nobody listens, and connections break. */
  away(): Promise<void>;
  /** It is there again, under the same address. */
  back(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Stands before a store until the test ends. Requests go on as they are, with the `Host` that the
 * client asked for, which signatures cover.
 */
export async function proxyTo(origin: string, options: ProxyOptions = {}): Promise<StoreProxy> {
  const proxy = await startProxy(origin, options);
  onTestFinished(proxy.close);
  return proxy;
}

type Seen = { -readonly [Key in keyof Exchange]: Exchange[Key] };

const KINDS = ['503', 'reset', 'delay', 'truncate'] as const;

/** As `proxyTo`, until it is closed. */
export async function startProxy(origin: string, options: ProxyOptions = {}): Promise<StoreProxy> {
  const { delayMs = 300 } = options;
  const agent = new Agent({ keepAlive: true });
  let requests: Seen[] = [];
  let faults: Faults | undefined;
  let random = randomNumbers(1);
  const server = createServer(handle);
  // `Expect: 100-continue` is the store's to answer: it may refuse a large body before it is sent.
  server.on('checkContinue', handle);
  server.requestTimeout = 0;
  const port = await listenOn(server, 0);

  const proxy: StoreProxy = {
    url: `http://127.0.0.1:${port}`,
    get requests() {
      return requests;
    },
    count: (method) => requests.filter((seen) => (method ?? seen.method) === seen.method).length,
    reset() {
      requests = [];
    },
    get faults() {
      return faults;
    },
    set faults(wanted) {
      faults = wanted;
      random = randomNumbers(wanted?.seed ?? 1);
    },
    before: options.before,
    async away() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    async back() {
      await listenOn(server, port);
    },
    async close() {
      await proxy.away();
      agent.destroy();
    },
  };
  proxy.faults = options.faults;
  return proxy;

  // What the hook throws is a fault of the test, and left unhandled for its runner to report.
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = seenOf(request);
    requests.push(seen);
    const verdict = (await proxy.before?.(seen)) ?? byChance();
    if (typeof verdict === 'object') {
      seen.fault = 'answer';
      return answer(response, seen, verdict);
    }
    seen.fault = verdict === 'pass' ? undefined : verdict;
    if (verdict === '503') return answer(response, seen, busy(request.headers));
    if (verdict === 'reset-before') return void request.socket.resetAndDestroy();
    if (verdict === 'hang') return void request.resume();
    if (verdict === 'delay') await pause(delayMs, undefined, { ref: false });
    // The one side or the other broke it off; so does this one.
    await forward(request, response, seen).catch(() => response.destroy());
  }

  function byChance(): Fault | 'pass' {
    if (faults === undefined || random(10_000) >= faults.rate * 10_000) return 'pass';
    const kind = pick(random, faults.kinds ?? KINDS);
    return kind === 'reset' ? pick(random, ['reset-before', 'reset-after']) : kind;
  }

  /** Asks the store, and gives its answer as far as the fault lets it through. */
  async function forward(request: IncomingMessage, response: ServerResponse, seen: Seen) {
    if (response.destroyed) return;
    const { method, path } = seen;
    const onward = send(origin, { agent, method, path, headers: passedOn(request) });
    const answered = once(onward, 'response');
    onward.on('error', () => {}); // those after the head are the answer's
    response.on('close', () => onward.destroy());
    const sendBody = () => {
      request.on('data', (chunk: Buffer) => {
        seen.bytesIn += chunk.length;
      });
      request.pipe(onward);
    };
    if (request.headers.expect === undefined) sendBody();
    else {
      onward.on('continue', () => {
        response.writeContinue();
        sendBody();
      });
      onward.flushHeaders();
    }
    let incoming: IncomingMessage;
    try {
      [incoming] = await answered;
    } catch (error) {
      if (response.destroyed) return;
      seen.fault ??= 'origin';
      return answer(response, seen, { status: 502, body: `${origin} is away: ${error}` });
    }
    seen.status = incoming.statusCode;
    if (seen.fault === 'truncate') return truncate(incoming, response, seen);
    if (seen.fault !== 'reset-after') return relay(incoming, response, seen);
    await buffer(incoming);
    request.socket.resetAndDestroy();
  }
}

async function listenOn(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function seenOf({ method = '', url: path = '', headers }: IncomingMessage): Seen {
  const nothing = { status: undefined, fault: undefined, bytesIn: 0, bytesOut: 0 };
  return { method, path, headers, ...nothing };
}

function answer(response: ServerResponse, seen: Seen, { status, headers, body = '' }: Answer) {
  const bytes = Buffer.from(body);
  seen.status = status;
  seen.bytesOut = seen.method === 'HEAD' ? 0 : bytes.length;
  response.writeHead(status, { 'Content-Length': bytes.length, ...headers }).end(bytes);
}

/** How stores say that it is too much for them: Azure's, where its clients ask; else S3's. */
function busy(headers: IncomingHttpHeaders): Answer {
  const type = { 'Content-Type': 'application/xml' };
  return 'x-ms-version' in headers
    ? {
        status: 503,
        headers: { ...type, 'x-ms-error-code': 'ServerBusy' },
        body: '<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>The server is busy.</Message></Error>',
      }
    : {
        status: 503,
        headers: type,
        body: '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message><RequestId>1</RequestId></Error>',
      };
}

async function relay(incoming: IncomingMessage, response: ServerResponse, seen: Seen) {
  writeHead(incoming, response);
  await pipeline(
    incoming,
    async function* counted(source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        seen.bytesOut += chunk.length;
        yield chunk;
      }
    },
    response,
  );
}

async function truncate(incoming: IncomingMessage, response: ServerResponse, seen: Seen) {
  const body = await buffer(incoming);
  const { socket } = response;
  const end = () => socket?.destroy();
  if (body.length === 0) {
    socket?.write(`HTTP/1.1 ${seen.status} ${incoming.statusMessage}\r\nContent-`, end);
    return;
  }
  const half = body.subarray(0, body.length >> 1);
  seen.bytesOut = half.length;
  writeHead(incoming, response);
  response.flushHeaders();
  response.write(half, end);
}

function writeHead(incoming: IncomingMessage, response: ServerResponse): void {
  response.sendDate = false; // the store's own is passed on
  response.writeHead(
    incoming.statusCode ?? 502,
    incoming.statusMessage,
    endToEnd(incoming.rawHeaders),
  );
}

/** The fields of a request, and the length that Node would otherwise make up. */
function passedOn({ rawHeaders, headers }: IncomingMessage): string[] {
  const fields = endToEnd(rawHeaders);
  const isBounded = 'content-length' in headers || 'transfer-encoding' in headers;
  return isBounded ? fields : [...fields, 'Content-Length', '0'];
}

/** Without the fields that speak of one connection only; RFC 9110, section 7.6.1. */
function endToEnd(rawHeaders: readonly string[]): string[] {
  const fields: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!/^(?:connection|keep-alive|proxy-connection)$/i.test(name)) fields.push(name, value);
  }
  return fields;
}
