import { onTestFinished } from 'vitest';

/**
 * What the process warns of from now on, until the test ends, each `name: message`; only what holds
 * `text`, for what an earlier test began may end now.
 */
export function warnings(text: string): string[] {
  const heard: string[] = [];
  const hear = ({ name, message }: Error) => {
    if (message.includes(text)) heard.push(`${name}: ${message}`);
  };
  process.on('warning', hear);
  onTestFinished(() => void process.off('warning', hear));
  return heard;
}
