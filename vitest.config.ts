import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests of the package and the commands use what is built.
    globalSetup: ['test/build.ts', 'test/servers.ts'],
  },
});
