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
  staticRoot: 'collected',
  storage: hashedStorage(),
  compress: true,
  mediaUrl: '/media/',
  mediaRoot: 'media',
});
