#!/usr/bin/env node
// The sources are what runs: tsx strips the types at load time, so there is no build step and no stale output.
import 'tsx/esm';

// Whoever reads the output may stop early, as `head` does.
process.stdout.on('error', error => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

await import('./main.ts');
