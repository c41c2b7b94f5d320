/** How often, and how patiently, the store is asked. */
export interface Patience {
  /** How many times in all. */
  readonly tries: number;
  /** Before the second try, in milliseconds; then twice as long each time. */
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** After how long without a byte a try has failed, in milliseconds. */
  readonly silenceMs: number;
  /** Whether a fault may be gone at the next try. */
  isPassing(error: unknown): boolean;
}

/** One of several tries. */
export interface Try {
  /** Aborts it. */
  readonly signal: AbortSignal;
  /** Something moves: the time of silence begins anew. */
  alive(): void;
}

/** No byte came or went for too long. */
export class SilenceError extends Error {
  constructor(readonly silenceMs: number) {
    super(`no answer within ${silenceMs / 1000} s`);
    this.name = 'SilenceError';
  }
}

/** What arrived of a file broke off. */
export class BrokenBodyError extends Error {
  override readonly name = 'BrokenBodyError';
}

/** The last fault of several; `cause` is that of the last try. */
export class TriedError extends Error {
  override readonly name = 'TriedError';

  constructor(
    readonly tries: number,
    cause: unknown,
  ) {
    super(`failed ${tries} times`, { cause });
  }
}

/**
 * Asks until there is an answer. The SDK's own retries lack three things that they need here: a try
 * ends by a time of the store's only, and one that hangs, never; all clients that met a fault together
 * come back together; and a body that breaks off is nobody's.
 *
 * @throws {TriedError} where faults that may pass did not.
 */
export async function persist<T>(
  { tries, delayMs, maxDelayMs, silenceMs, isPassing }: Patience,
  call: (attempt: Try) => Promise<T>,
): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await untilSilence(silenceMs, call);
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (number >= tries) throw new TriedError(number, error);
      const longest = Math.min(delayMs * 2 ** (number - 1), maxDelayMs);
      // By chance, so that those that failed together do not come back together.
      await pause(Math.max(longest * (0.5 + Math.random() / 2), retryAfterMs(error)));
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function untilSilence<T>(silenceMs: number, call: (attempt: Try) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new SilenceError(silenceMs)); // first: the SDK says only that it was aborted
      controller.abort();
    }, silenceMs);
  });
  try {
    const answer = call({ signal: controller.signal, alive: () => timer?.refresh() });
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** No store is waited for longer than this at its own word. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** How long the store asks to be left alone (RFC 9110, Retry-After). */
function retryAfterMs(error: unknown): number {
  const { response } = Object(error) as { response?: { headers?: { get(name: string): unknown } } };
  const seconds = Number(response?.headers?.get('retry-after') ?? 0);
  return seconds > 0 ? Math.min(seconds * 1000, LONGEST_RETRY_AFTER_MS) : 0;
}
