import { connect, type Socket } from 'node:net';

/** Header fields to send; several lines of one name as a list. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

/** What is to be sent, to the byte: nothing is tidied, encoded or added but `Host` and the body's length. */
export interface RawRequest {
  /** @default 'GET' */
  readonly method?: string;
  /** The request target as it goes over the wire. */
  readonly target: string;
  readonly headers?: Fields;
  readonly body?: string;
}

/** An answer as it came, its body unframed but not decoded. */
export interface RawAnswer {
  readonly status: number;
  /** In the order in which they came, names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** The value of a field; several lines of it joined with a comma. */
  field(name: string): string | undefined;
}

/** One connection, on which the framing of every answer is checked as it is read (RFC 9112, 6). */
export class Connection {
  readonly socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #read: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.setTimeout(20_000, () => socket.destroy(new Error('Nothing came for 20 seconds.')));
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    socket.on('error', () => {}); // whoever reads is told
    return new Connection(socket);
  }

  /** Sends a request, and reads the answer to it. */
  async ask(request: RawRequest): Promise<RawAnswer> {
    this.send(spelled(request));
    return this.answer(request.method);
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Reads one answer to a request of that method; interim ones (1xx) are passed over. */
  async answer(method = 'GET'): Promise<RawAnswer> {
    for (;;) {
      const answer = await this.#head();
      if (answer.status >= 200) {
        return { ...answer, body: await this.#body(answer, method) };
      }
    }
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<Buffer> {
    const parts = [this.#read];
    this.#read = Buffer.alloc(0);
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) return Buffer.concat(parts);
      parts.push(value);
    }
  }

  close(): void {
    this.socket.destroy();
  }

  async #head(): Promise<RawAnswer> {
    const [statusLine = '', ...lines] = (await this.#upTo('\r\n\r\n')).split('\r\n');
    const status = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e]*$/.exec(statusLine)?.[1];
    if (status === undefined) throw new Error(`No status line: ${JSON.stringify(statusLine)}`);
    const fields = lines.map((line) => {
      const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
      if (name === undefined || value === undefined) {
        throw new Error(`No header field: ${JSON.stringify(line)}`);
      }
      return [name.toLowerCase(), value] as const;
    });
    const field = (wanted: string) => {
      const values = fields.filter(([name]) => name === wanted.toLowerCase());
      return values.length === 0 ? undefined : values.map(([, value]) => value).join(', ');
    };
    return { status: Number(status), fields, body: Buffer.alloc(0), field };
  }

  async #body({ status, field }: RawAnswer, method: string): Promise<Buffer> {
    const [length, coding] = [field('content-length'), field('transfer-encoding')];
    if (length !== undefined && coding !== undefined) throw new Error('Framed in two ways.');
    if (method === 'HEAD' || status === 204 || status === 304) return Buffer.alloc(0);
    if (coding === 'chunked') return this.#chunked();
    if (coding !== undefined) throw new Error(`Framed as ${coding}.`);
    if (length === undefined && field('connection') === 'close') return this.rest();
    if (length === undefined) throw new Error(`A ${status} that only the connection's end ends.`);
    if (!/^\d+$/.test(length)) throw new Error(`Content-Length: ${length}`);
    return this.#bytes(Number(length));
  }

  async #chunked(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#upTo('\r\n'), 16);
      if (Number.isNaN(size)) throw new Error('No size of a chunk.');
      parts.push(await this.#bytes(size));
      if ((await this.#upTo('\r\n')) !== '') throw new Error('No end of a chunk.');
      if (size === 0) return Buffer.concat(parts);
    }
  }

  async #upTo(end: string): Promise<string> {
    for (;;) {
      const at = this.#read.indexOf(end);
      if (at >= 0) {
        const text = this.#read.toString('latin1', 0, at);
        this.#read = this.#read.subarray(at + end.length);
        return text;
      }
      this.#read = Buffer.concat([this.#read, await this.#more()]);
    }
  }

  async #bytes(size: number): Promise<Buffer> {
    const parts = [this.#read];
    let got = this.#read.length;
    while (got < size) {
      const chunk = await this.#more();
      parts.push(chunk);
      got += chunk.length;
    }
    const all = Buffer.concat(parts);
    this.#read = all.subarray(size);
    return all.subarray(0, size);
  }

  async #more(): Promise<Buffer> {
    const { done, value } = await this.#chunks.next();
    if (done) throw new Error('The connection ended in the middle of an answer.');
    return value;
  }
}

/** One request on a connection of its own. */
export async function askOnce(url: string, request: RawRequest): Promise<RawAnswer> {
  const connection = await Connection.open(url);
  try {
    return await connection.ask(request);
  } finally {
    connection.close();
  }
}

/** A request as it goes over the wire. */
export function spelled({ method = 'GET', target, headers = {}, body }: RawRequest): string {
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const fields = Object.entries({ Host: 'localhost', ...length, ...headers }).flatMap(
    ([name, values]) => [values].flat().map((value) => `${name}: ${value}\r\n`),
  );
  return `${method} ${target} HTTP/1.1\r\n${fields.join('')}\r\n${body ?? ''}`;
}
