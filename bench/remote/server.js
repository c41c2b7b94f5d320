// node bench/remote/server.js CONFIG SECONDS NAME: an application server that asks for a URL 20 times a
// second, for so long; with 0 seconds, once.
import { setTimeout as pause } from 'node:timers/promises';
import { createStaticFiles, loadConfig } from '../../dist/src/index.js';

const [, , file, seconds, name] = process.argv;
const files = createStaticFiles(await loadConfig({ file }));
await files.ready();
const end = performance.now() + Number(seconds) * 1000;
files.staticUrl(name);
while (performance.now() < end) {
  await pause(50);
  files.staticUrl(name);
}
