import { once } from 'node:events';
import { expect } from 'vitest';
import { BIN, start } from '../process.js';
import type { Exchange, StoreProxy, Verdict } from '../proxy.js';
import type { Release } from './releases.js';

/** What happens to a request of a deployer. */
export type Moment = (request: Exchange) => Verdict | 'kill' | Promise<Verdict | 'kill'>;

export interface Ended {
  readonly status: number | null;
  readonly wasKilled: boolean;
  /** All that it printed. */
  readonly text: string;
}

/** Runs the command line in a process of its own, which reaches the store by a proxy. */
export async function run(
  { root }: Release,
  args: readonly string[],
  proxy: StoreProxy,
  moment: Moment = () => undefined,
): Promise<Ended> {
  const running = start([BIN, ...args], root, { NODE_ENV: 'production', STORE: proxy.url });
  const { process } = running;
  const ended = once(process, 'close');
  let isDead = false;
  proxy.before = async (request) => {
    // What it has begun to say besides, nobody hears.
    const verdict = isDead ? 'kill' : await moment(request);
    if (verdict !== 'kill') return verdict;
    isDead = true;
    process.kill('SIGKILL');
    return 'reset-before';
  };
  const [status, signal] = await ended;
  proxy.before = undefined;
  return {
    status,
    wasKilled: signal === 'SIGKILL',
    text: `${args.join(' ')}\n${running.out()}${running.err()}`,
  };
}

export const COLLECT = ['collectstatic', '--no-input'] as const;

/** Runs it to its end, which is a good one. */
export async function succeed(...asked: Parameters<typeof run>): Promise<void> {
  const { status, text } = await run(...asked);
  expect(status, text).toBe(0);
}

/** That which switches, where the store knows no conditions; before, it is asked for one on condition. */
export function isSwitch(request: Exchange): boolean {
  const { 'if-match': tag, 'if-none-match': none } = request.headers;
  return isManifestWrite(request) && (tag ?? none) === undefined;
}

export function isManifestWrite({ method, path }: Exchange): boolean {
  return method === 'PUT' && /(?<!\.staticfiles)\/staticfiles\.json(?:\?|$)/.test(path);
}

export function isGenerationWrite({ method, path }: Exchange): boolean {
  return method === 'PUT' && path.includes('/.staticfiles/manifests/');
}

/** Of a file of the site. */
export function isAssetWrite({ method, path }: Exchange): boolean {
  return method === 'PUT' && !/staticfiles\.json|\/\.staticfiles\//.test(path);
}

/** Somebody looks who deploys and who prunes. */
export function isLook({ method, path }: Exchange): boolean {
  return method === 'GET' && path.includes('prefix=.staticfiles%2F');
}

export function isDelete({ method }: Exchange): boolean {
  return method === 'DELETE';
}
