import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';

/** What a call threw, as far as it can be sent from process to process. */
export interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly file?: string;
  readonly cause?: string;
}

interface Answer {
  readonly id: number;
  readonly answer?: unknown;
  readonly thrown?: Thrown;
}

/**
 * Calls exports of the built package in a Node process of its own. Vitest loads modules its own way,
 * also those that the package is asked to import; here Node does.
 */
export function native(module: string) {
  let child: ChildProcess;
  let calls = 0;
  beforeAll(() => {
    child = fork(fileURLToPath(new URL('fixtures/caller.mjs', import.meta.url)));
  });
  afterAll(() => void child.kill());

  function call(name: string, args: unknown[]): Promise<Answer> {
    const id = ++calls;
    return new Promise((resolve, reject) => {
      child.once('exit', reject);
      child.on('message', function hear(message: Answer) {
        if (message.id !== id) return;
        child.off('message', hear);
        child.off('exit', reject);
        resolve(message);
      });
      child.send({ id, module, name, args });
    });
  }

  return {
    /** What the call answers. */
    async answer(name: string, ...args: unknown[]): Promise<unknown> {
      const { answer, thrown } = await call(name, args);
      if (thrown !== undefined) throw new Error(`${thrown.name}: ${thrown.message}`);
      return answer;
    },
    /** What the call throws. */
    async thrown(name: string, ...args: unknown[]): Promise<Thrown> {
      const { thrown } = await call(name, args);
      if (thrown === undefined) throw new Error('Nothing was thrown.');
      return thrown;
    },
  };
}
