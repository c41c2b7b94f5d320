import { createStaticFiles, hashedStorage } from 'staticfiles';

const [, , staticRoot] = process.argv;
const files = createStaticFiles({ debug: false, staticRoot, storage: hashedStorage() });
files.staticUrl('css/app0/part-0.css');
