import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What has changed for a page: these stylesheets, by URL; `undefined`: more than that. */
export type Change = readonly string[] | undefined;

/** Tells open pages of changes, by server-sent events. */
export interface ChangeStream {
  /** What a page that is made now knows. Another process never has the same. */
  state(): string;
  /** Connects a page, and tells it what it has missed since the state `since`. */
  connect(since: string | null, request: IncomingMessage, response: ServerResponse): void;
  tell(change: Change): void;
  /** Ends every connection. */
  close(): void;
}

/** How many changes of stylesheets are remembered for pages that are away. */
const REMEMBERED = 100;

/** How often something is sent, so that a connection that is none any more is noticed. */
const PULSE_MS = 30_000;

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function changeStream(): ChangeStream {
  const start = randomUUID();
  const pages = new Set<ServerResponse>();
  let count = 0;
  /** The last changes, each of stylesheets alone; older ones, and others, take a reload. */
  let swaps: (readonly string[])[] = [];

  const state = () => `${start}.${count}`;
  const message = (change: Change) =>
    `data: ${JSON.stringify({ state: state(), css: change })}\n\n`;

  function missed(since: string | null): Change {
    const [of, known = ''] = (since ?? '').split('.');
    const behind = count - Number(known);
    if (of !== start || !(behind <= swaps.length)) return undefined;
    return behind > 0 ? [...new Set(swaps.slice(-behind).flat())] : [];
  }

  function send(text: string): void {
    for (const page of pages) {
      // What a page does not fetch would be kept here for as long as it stays open.
      if (page.writableNeedDrain) page.destroy();
      else page.write(text);
    }
  }

  const pulse = setInterval(() => send(':\n\n'), PULSE_MS).unref();

  return {
    state,
    connect(since, request, response) {
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
        'X-Accel-Buffering': 'no', // nginx would wait for more
      });
      if (request.method === 'HEAD') return void response.end();
      pages.add(response);
      response.once('close', () => pages.delete(response));
      response.write(message(missed(since)));
    },
    tell(change) {
      count++;
      swaps = change === undefined ? [] : [...swaps, change].slice(-REMEMBERED);
      send(message(change));
    },
    close() {
      clearInterval(pulse);
      for (const page of pages) page.end();
    },
  };
}
