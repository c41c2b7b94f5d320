import {
  appDirsFinder,
  defineConfig,
  dirsFinder,
  hashedStorage,
  packagesFinder,
} from 'staticfiles';

export default defineConfig({
  apps: ['polls', 'accounts'],
  dirs: [{ prefix: 'brand', dir: 'brand' }],
  finders: [dirsFinder(), appDirsFinder(), packagesFinder({ '@picocss/pico': 'css' })],
  ignore: ['CVS', '.*', '*~', 'pico.[!j]*'], // of Pico's 119 themes the pages have one
  staticRoot: 'collected',
  storage: hashedStorage(),
  compress: true,
  mediaUrl: '/media/',
  mediaRoot: 'media',
});
