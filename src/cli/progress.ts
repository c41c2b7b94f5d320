import type { Progress } from '../collect/run.js';
import { bytesText } from './amounts.js';

/** A bar at the terminal that says how far collecting has come. */
export interface ProgressBar {
  show(progress: Progress): void;
  /** Wipes it out, so that other text can follow. */
  stop(): void;
}

const FORMAT = '{bar} {percentage} % | {stage} {value} of {total} files, {size}';

/** What is over sooner needs no bar. */
const PATIENCE_MS = 300;

export async function progressBar(stream: NodeJS.WriteStream): Promise<ProgressBar> {
  const { default: cliProgress } = await import('cli-progress');
  const options = { stream, format: FORMAT, hideCursor: true, clearOnComplete: true, barsize: 24 };
  const bar = new cliProgress.SingleBar(options, cliProgress.Presets.shades_classic);
  const from = performance.now() + PATIENCE_MS;
  let shown: Progress['stage'] | undefined;
  return {
    show({ stage, done, total, bytes }) {
      const payload = { stage, size: bytesText(bytes) };
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
