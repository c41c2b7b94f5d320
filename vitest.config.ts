import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Machines may be busy: it takes some seconds where they are not.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is waited for comes, sooner or later: such a wait ends little before its test.
    expect: { poll: { timeout: 110_000 } },
    // Tests of the package and the commands use what is built.
    globalSetup: ['test/build.ts', 'test/servers.ts'],
  },
});
