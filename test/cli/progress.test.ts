import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BIN } from '../process.js';
import { project } from '../project.js';

/** util-linux's, which runs a command in a terminal of its own. */
const script = (() => {
  try {
    const version = execFileSync('script', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
    return String(version).includes('util-linux');
  } catch {
    return false;
  }
})();
const why = script ? '' : " (skipped: no util-linux's script here to make a terminal)";

const INDEX = new URL('../../dist/src/index.js', import.meta.url).href;

/** A project that takes longer to collect than somebody likes to wait without a sign. */
function slowProject(): string {
  return project({
    'staticfiles.config.mjs': `import { hashedStorage } from ${JSON.stringify(INDEX)};
      export default { dirs: ['site'], staticRoot: 'out', storage: hashedStorage(), compress: ['br'] };`,
    ...Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => [
        `site/${at}.txt`,
        randomBytes(90_000).toString('base64'),
      ]),
    ),
  });
}

/** Begins what terminals take for commands (ECMA-48). */
const ESC = '\u001b';

/** Nothing takes any time, by the clock of a program that begins with it. */
const AT_ONCE = '--import=data:text/javascript,performance.now=()=>0';

function inTerminal(cwd: string, args: readonly string[] = [], NODE_OPTIONS = ''): string {
  const command = [process.execPath, BIN, 'collectstatic', '--no-input', ...args].join(' ');
  const { stdout, status } = spawnSync('script', ['-qec', command, join(cwd, 'typescript')], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, TERM: 'xterm', NODE_ENV: '', NODE_OPTIONS },
  });
  expect(status).toBe(0);
  return stdout;
}

describe('the progress bar', () => {
  it.skipIf(!script)(`is seen at a terminal, and gone at the end${why}`, () => {
    const root = slowProject();
    const shown = inTerminal(root);
    const bars = shown.match(/[█░]{24} \d+ % \| compressing \d+ of 12 files, [\d.]+ [kM]?B/g) ?? [];
    expect(bars.length).toBeGreaterThan(1);
    const last = shown.lastIndexOf('░');
    // Wiped out, and the cursor shown again; then comes the summary.
    const end = shown.slice(Math.max(last, shown.lastIndexOf('█')));
    expect(end).toMatch(new RegExp(`${ESC}\\[[02]?[JK][^]*\n12 static files copied to`));
    expect(shown.lastIndexOf(`${ESC}[?25h`)).toBeGreaterThan(shown.lastIndexOf(`${ESC}[?25l`));
  });

  it.skipIf(!script)(`is not seen where that is over soon${why}`, () => {
    expect(inTerminal(slowProject(), [], AT_ONCE)).not.toMatch(/[█░]/);
  });

  it.skipIf(!script)(`gives way to lines and to JSON${why}`, () => {
    for (const option of ['--json', '--verbosity=2']) {
      expect(inTerminal(slowProject(), [option]), option).not.toMatch(new RegExp(`[█░${ESC}]`));
    }
  });

  it.skipIf(!script)(`is wiped out when Control-C ends it${why}`, async () => {
    const root = project({
      // A store that never has the second file.
      'staticfiles.config.mjs': `import { memoryStorage } from ${JSON.stringify(INDEX)};
        import { setTimeout as pause } from 'node:timers/promises';
        const { attach, path, ...memory } = memoryStorage({ baseUrl: '/static/' });
        const write = (name) => pause(name === 'b.txt' ? 60_000 : 500);
        export default { dirs: ['site'], storage: { ...memory, write, concurrency: 1 } };`,
      'site/a.txt': 'a',
      'site/b.txt': 'b',
    });
    const child = spawn(
      'script',
      ['-qec', `${process.execPath} ${BIN} collectstatic`, '/dev/null'],
      {
        cwd: root,
        env: { ...process.env, TERM: 'xterm', NODE_ENV: '' },
      },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const isFirst = !shown.includes('sending 1 of 2');
      shown += text;
      if (isFirst && shown.includes('sending 1 of 2')) child.stdin.write('\u0003');
    });
    const [status] = await once(child, 'close');
    expect(status).toBe(130);
    const end = shown.slice(shown.lastIndexOf('░'));
    expect(end).toMatch(
      new RegExp(`${ESC}\\[[02]?[JK][^]*\r\nInterrupted\\. Without a manifest, `),
    );
    expect(shown.lastIndexOf(`${ESC}[?25h`)).toBeGreaterThan(shown.lastIndexOf(`${ESC}[?25l`));
  });

  it('is not there without a terminal', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [BIN, 'collectstatic'], {
      cwd: slowProject(),
      encoding: 'utf8',
      env: { ...process.env, NODE_ENV: '' },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^\n12 static files copied to .*\n12 compressed, 12 of them now: /);
  });
});
