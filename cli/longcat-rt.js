#!/usr/bin/env node
// What was compiled runs (cli/build.js), unless a source is newer: then the sources run, with tsx stripping their types
// at load time. So there is no stale output.
import { setFlagsFromString } from 'node:v8';
import { fileURLToPath } from 'node:url';
import { isCompiled } from '../kernels/compiled.js';

// Whoever reads the output may stop early, as `head` does.
process.stdout.on('error', error => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// `serve` waits for callers: loading must not bring its young generation to the size that they need (heap-room.ts).
if (process.argv[2] === 'serve') setFlagsFromString('--semi-space-growth-factor=1');

const root = fileURLToPath(new URL('../', import.meta.url));
if (isCompiled(root)) await import('../dist/cli/main.js');
else {
  const { register } = await import('tsx/esm/api');
  register();
  await import('./main.ts');
}
