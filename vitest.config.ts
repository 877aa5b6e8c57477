import { defineConfig } from 'vitest/config';

// Generous times: they catch what hangs, and a busy machine is not a failure.
// Forks, not threads: native addons and uWebSockets.js do not like being torn down inside a worker thread.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/end-to-end/set-up.ts',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
});
