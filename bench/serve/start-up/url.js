// node url.js STATIC_ROOT NAME: the first URL.
import { createStaticFiles, hashedStorage } from 'staticfiles';
import { report } from './report.js';

const [, , staticRoot, name] = process.argv;
createStaticFiles({ debug: false, staticRoot, storage: hashedStorage() }).staticUrl(name);
report();
