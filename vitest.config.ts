import { configDefaults, defineConfig } from 'vitest/config';

/** Files that leave nothing behind them: a worker that has run one runs the next, and imports nothing twice. */
const SHARING = [
  'test/actors/**/*.test.ts',
  'test/cli/{compiled,config,doctor,eval-needs,largest,media,odd-files,router-census,sound,tools}.test.ts',
  // All but those that count a process's threads, bytes or worker threads, or start others.
  'test/kernels/!(decode-on-pool|engine|inventory|native-install|native-leaks|pool|real-size|remote).test.ts',
  'test/protocols/**/*.test.ts',
  'test/sim/**/!(no-second-implementation).test.ts',
  'test/web/**/*.test.ts',
];

// Generous times: they catch what hangs, and a busy machine is not a failure.
// Forks, not threads: native addons and uWebSockets.js do not like being torn down inside a worker thread.
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 3, // On two processors: much of the suite waits, as callers do.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: SHARING,
          isolate: false,
          setupFiles: ['test/support/equal-bytes.ts', 'test/support/leave-nothing.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'apart',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...SHARING],
          setupFiles: ['test/support/equal-bytes.ts'],
          globalSetup: 'test/end-to-end/set-up.ts',
        },
      },
    ],
  },
});
