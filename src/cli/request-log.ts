import type { IncomingMessage, ServerResponse } from 'node:http';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

export interface RequestLog {
  write(text: string): void;
  readonly colors: boolean;
  /** Whether static or media files answer it, and not the application; asked when it is answered. */
  isFile(): boolean;
}

/** Writes a line when the request is answered: time, request, status, bytes sent, milliseconds. */
export function logRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { write, colors, isFile }: RequestLog,
): void {
  const { method, url = '', socket } = request;
  const start = performance.now();
  const sentBefore = socket.bytesWritten;
  response.once('close', () => {
    const time = new Date().toTimeString().slice(0, 8);
    const took = Math.round(performance.now() - start);
    const bytes = Math.max(0, socket.bytesWritten - sentBefore);
    const status = response.writableFinished ? String(response.statusCode) : 'aborted';
    const line = `[${time}] ${method} ${printable(url)} ${status} ${bytes} B ${took} ms`;
    const style = styleOf(response.statusCode, response.writableFinished, isFile());
    write(`${colors && style ? styled(style, line) : line}\n`);
  });
}

/** Whoever hands `colors` has looked at the terminal; Node would look at standard output. */
function styled(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

/** A page brings a dozen files with it: they step back behind what the application answers. */
function styleOf(status: number, finished: boolean, isFile: boolean): Style | undefined {
  if (!finished || status >= 500) return 'red';
  if (status >= 400) return 'yellow';
  if (isFile || status === 304) return 'dim';
  return status >= 300 ? 'cyan' : undefined;
}

/** A request must not write to somebody's terminal what it likes. */
function printable(url: string): string {
  return url.replace(/[^\x21-\x7e]/g, encodeURIComponent);
}
