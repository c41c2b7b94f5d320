import { get as httpGet, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ChangeStream, changeStream } from '../../../src/cli/live-reload/change-stream.js';
import { serve } from '../../listen.js';

interface Message {
  readonly state: string;
  readonly css?: string[];
}

async function serveStream() {
  const stream = changeStream();
  const origin = await serve((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    stream.connect(searchParams.get('since'), request, response);
  });
  onTestFinished(() => stream.close());
  return { stream, open: (since: string) => open(`${origin}/?since=${since}`) };
}

/** An open stream, and what it has been told so far. */
async function open(url: string) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpGet(url, resolve).on('error', reject);
    onTestFinished(() => void request.destroy());
  });
  let text = '';
  response.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  response.on('error', () => {}); // the server ends it, or the test
  const messages = () =>
    [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, data = '']) => JSON.parse(data) as Message);
  return { response, messages };
}

/** What a page is told first that knew a state. */
async function first(open_: (since: string) => ReturnType<typeof open>, since: string) {
  const { messages } = await open_(since);
  await expect.poll(() => messages().length).toBe(1);
  return messages()[0];
}

function tell(stream: ChangeStream, ...changes: (string[] | undefined)[]): void {
  for (const change of changes) stream.tell(change);
}

describe('the stream of changes', () => {
  it('tells every open page', async () => {
    const { stream, open } = await serveStream();
    const pages = [await open(stream.state()), await open(stream.state())];
    for (const { messages } of pages) {
      await expect.poll(messages).toEqual([{ state: stream.state(), css: [] }]);
    }
    stream.tell(['/a.css']);
    const afterwards = stream.state();
    stream.tell(undefined);
    for (const { messages } of pages) {
      await expect
        .poll(() => messages().slice(1))
        .toEqual([{ state: afterwards, css: ['/a.css'] }, { state: stream.state() }]);
    }
    expect(pages[0]?.response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
  });

  it('tells a page what it has missed', async () => {
    const { stream, open } = await serveStream();
    const before = stream.state();
    tell(stream, ['/a.css'], ['/b.css', '/a.css']);
    const state = stream.state();
    expect(await first(open, before)).toEqual({ state, css: ['/a.css', '/b.css'] });
    expect(await first(open, state)).toEqual({ state, css: [] });
    tell(stream, undefined, ['/c.css']);
    expect(await first(open, state)).toEqual({ state: stream.state() });
  });

  it.each(['', 'x', 'x.0', '%00.1', 'NaN', '.0'])(
    'lets a page reload that another process has made: %j',
    async (since) => {
      const { stream, open } = await serveStream();
      expect(await first(open, since)).toEqual({ state: stream.state() });
    },
  );

  it.each(['99', '-1', '1e9', 'x'])('knows no state of its own with %s', async (count) => {
    const { stream, open } = await serveStream();
    tell(stream, ['/a.css']);
    const [start] = stream.state().split('.');
    const told = await first(open, `${start}.${count}`);
    expect(told?.css ?? []).toEqual([]);
  });

  it('remembers a hundred changes and no more', async () => {
    const { stream, open } = await serveStream();
    const before = stream.state();
    tell(stream, ...Array.from({ length: 100 }, (_, i) => [`/${i}.css`]));
    expect((await first(open, before))?.css).toHaveLength(100);
    tell(stream, ['/last.css']);
    expect(await first(open, before)).toEqual({ state: stream.state() });
  });

  it('lets go of a page that does not listen', async () => {
    const { stream, open } = await serveStream();
    const { response, messages } = await open(stream.state());
    await expect.poll(() => messages().length).toBe(1);
    response.pause();
    let isClosed = false;
    response.socket.once('close', () => {
      isClosed = true;
    });
    const large = [`/${'x'.repeat(1_000_000)}.css`];
    for (let i = 0; i < 50; i++) {
      stream.tell(large);
      await sleep(1);
    }
    response.resume();
    await expect.poll(() => isClosed).toBe(true);
    expect(messages().length).toBeLessThan(50);
  });

  it('ends in good order with the server', async () => {
    const { stream, open } = await serveStream();
    const { response } = await open(stream.state());
    const closed = new Promise((resolve) => response.once('close', resolve));
    stream.close();
    await closed;
    expect(response.complete).toBe(true);
  });
});
