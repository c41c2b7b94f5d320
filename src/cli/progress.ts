import type { Progress } from '../collect/run.js';
import { bytesText, timeText } from './amounts.js';

/** Says how far collecting has come. */
export interface ProgressDisplay {
  show(progress: Progress): void;
  /** Ends it, so that other text can follow. */
  stop(): void;
}

const FORMAT = '{bar} {percentage} % | {stage} {value} of {total} files, {size}{speed}';

/** What is over sooner needs no bar. */
const PATIENCE_MS = 300;

/** A bar at the terminal, which is wiped out at the end. */
export async function progressBar(stream: NodeJS.WriteStream): Promise<ProgressDisplay> {
  const { default: cliProgress } = await import('cli-progress');
  const options = { stream, format: FORMAT, hideCursor: true, clearOnComplete: true, barsize: 24 };
  const bar = new cliProgress.SingleBar(options, cliProgress.Presets.shades_classic);
  const from = performance.now() + PATIENCE_MS;
  let shown: Progress['stage'] | undefined;
  let speedOf = speedometer();
  return {
    show(progress) {
      const { stage, done, total, bytes } = progress;
      if (stage !== shown) speedOf = speedometer();
      const payload = { stage, size: bytesText(bytes), speed: speedOf(progress) };
      if (stage === shown) {
        bar.setTotal(total);
        bar.update(done, payload);
      } else if (performance.now() >= from) {
        if (shown !== undefined) bar.stop();
        bar.start(total, done, payload);
        shown = stage;
      }
    },
    stop() {
      if (shown !== undefined) bar.stop();
    },
  };
}

/** What is measured for a shorter time tells nothing yet. */
const WARM_UP_MS = 1000;

/** How fast files are sent, and how long the rest will take; of other stages, nothing. */
export function speedometer(now: () => number = () => performance.now()) {
  const from = now();
  return ({ bytes, totalBytes }: Progress): string => {
    const seconds = (now() - from) / 1000;
    if (totalBytes === undefined || bytes === 0 || seconds * 1000 < WARM_UP_MS) return '';
    const speed = bytes / seconds;
    const left = timeText(((totalBytes - bytes) / speed) * 1000);
    return `, ${bytesText(speed)}/s, ${left} left`;
  };
}
