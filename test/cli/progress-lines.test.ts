import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { progressLines } from '../../src/cli/progress-lines.js';
import { BIN, start } from '../process.js';
import { project } from '../project.js';

const INDEX = new URL('../../dist/src/index.js', import.meta.url).href;

describe('lines of progress', () => {
  it('come every ten seconds, in the words of the bar', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let out = '';
    const printed = () => {
      const text = out;
      out = '';
      return text;
    };
    const lines = progressLines((text) => {
      out += text;
    });
    vi.advanceTimersByTime(15_000);
    expect(printed()).toBe(''); // nothing is known yet
    lines.show({ stage: 'reading', done: 5, total: 9, bytes: 1200 });
    vi.advanceTimersByTime(4999);
    expect(printed()).toBe('');
    lines.show({ stage: 'reading', done: 6, total: 9, bytes: 1300 });
    vi.advanceTimersByTime(1);
    expect(printed()).toBe('reading 6 of 9 files, 1.3 kB\n');
    const sending = { stage: 'sending', total: 10, totalBytes: 100_000_000 } as const;
    lines.show({ ...sending, done: 1, bytes: 10_000_000 });
    vi.advanceTimersByTime(5000);
    lines.show({ ...sending, done: 3, bytes: 30_000_000 });
    vi.advanceTimersByTime(5000);
    expect(printed()).toBe('sending 3 of 10 files, 30.0 MB of 100 MB, 3.0 MB/s, 23 s left\n');
    vi.advanceTimersByTime(10_000); // nothing moves
    expect(printed()).toBe('sending 3 of 10 files, 30.0 MB of 100 MB, 1.5 MB/s, 47 s left\n');
    lines.stop();
    vi.advanceTimersByTime(60_000);
    expect(printed()).toBe('');
  });

  it('are printed without a terminal, on standard error, unless the command is silent', async () => {
    const run = async (...args: string[]) => {
      const sources = Array.from({ length: 24 }, (_, at) => [
        `site/${at}.txt`,
        `${at}`.repeat(500),
      ]);
      const root = project({
        // A store that stops in the middle until something is printed, or would have been.
        'staticfiles.config.mjs': `import { memoryStorage } from ${JSON.stringify(INDEX)};
          import { setTimeout as pause } from 'node:timers/promises';
          const { attach, path, ...memory } = memoryStorage({ baseUrl: '/static/' });
          const { stderr } = process;
          const printed = new Promise((resolve) => {
            const print = stderr.write;
            stderr.write = (...text) => (resolve(), print.apply(stderr, text));
          });
          let files = 0;
          const write = async (...file) => {
            if (++files === 12) await Promise.race([printed, pause(11_000)]);
            return memory.write(...file);
          };
          export default { dirs: ['site'], storage: { ...memory, write, concurrency: 1 } };`,
        ...Object.fromEntries(sources),
      });
      const running = start([BIN, 'collectstatic', ...args], root);
      await new Promise((resolve) => running.process.on('close', resolve));
      return { status: running.process.exitCode, out: running.out(), err: running.err() };
    };
    const [usual, silent, json, verbose] = await Promise.all([
      run(),
      run('--verbosity=0'),
      run('--json'),
      run('--verbosity=2'),
    ]);
    expect(usual.status).toBe(0);
    expect(usual.err).toMatch(
      /^sending \d+ of 24 files, \d+(\.\d)? kB of 19\.0 kB, [\d.]+ (kB|bytes)\/s, \d+(\.\d)? s left\n$/,
    );
    expect(usual.out).toMatch(/^\n24 static files copied\.\n24 objects \(19\.0 kB\) sent\.\n/);
    expect(silent).toEqual({ status: 0, out: '', err: '' });
    expect({ status: json.status, err: json.err }).toEqual({ status: 0, err: '' });
    expect({ status: verbose.status, err: verbose.err }).toEqual({ status: 0, err: '' });
  });

  it('keep no process alive', async () => {
    const root = project({
      'staticfiles.config.mjs': `const never = { find() {}, async *list() { await new Promise(() => {}); } };
        export default { finders: [never], staticRoot: 'collected' };`,
    });
    const running = start([BIN, 'collectstatic'], root);
    await new Promise((resolve) => running.process.on('close', resolve));
    expect(running.process.exitCode).toBe(13); // Node's word for a promise that nobody will settle
  });
});
