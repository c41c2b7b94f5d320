// node bench/remote/collect.js CONFIG: collects as a program does it.
import { createStaticFiles, loadConfig } from '../../dist/src/index.js';

const [, , config] = process.argv;
await createStaticFiles(await loadConfig({ file: config })).collect();
