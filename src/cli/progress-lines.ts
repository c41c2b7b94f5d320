import type { Progress } from '../collect/run.js';
import { bytesText } from './amounts.js';
import { type ProgressDisplay, speedometer } from './progress.js';

/** What is over sooner needs no line. */
const PAUSE_MS = 10_000;

/** A line now and then, for logs, where no terminal shows a bar; also where nothing has moved. */
export function progressLines(write: (text: string) => void, pauseMs = PAUSE_MS): ProgressDisplay {
  let latest: Progress | undefined;
  let speedOf = speedometer();
  const timer = setInterval(() => {
    if (latest !== undefined) write(`${lineOf(latest, speedOf(latest))}\n`);
  }, pauseMs).unref();
  return {
    show(progress) {
      if (progress.stage !== latest?.stage) speedOf = speedometer();
      latest = progress;
    },
    stop: () => clearInterval(timer),
  };
}

function lineOf({ stage, done, total, bytes, totalBytes }: Progress, speed: string): string {
  const all = totalBytes === undefined ? '' : ` of ${bytesText(totalBytes)}`;
  return `${stage} ${done} of ${total} files, ${bytesText(bytes)}${all}${speed}`;
}
