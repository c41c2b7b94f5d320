import { appDirsFinder, defineConfig, dirsFinder, packagesFinder } from 'staticfiles';

export default defineConfig({
  apps: ['polls', 'accounts'],
  dirs: [{ prefix: 'brand', dir: 'brand' }],
  finders: [dirsFinder(), appDirsFinder(), packagesFinder({ '@picocss/pico': 'css' })],
  staticRoot: 'collected',
  mediaUrl: '/media/',
  mediaRoot: 'media',
});
