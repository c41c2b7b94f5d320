import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const path = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Whether there is a browser for tests; they print `chromiumMissing` where there is none. */
export const hasChromium = existsSync(path);

export const chromiumMissing = `There is no Chromium at ${path}. Get it with 'sh test/setup.sh', or set CHROMIUM to the path of a browser.`;

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    args: [
      '--no-sandbox', // tests may run as root, in a container
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      // The browser makes no requests but the page's.
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
