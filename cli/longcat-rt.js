#!/usr/bin/env node
// The sources are what runs: tsx strips the types at load time, so there is no build step and no stale output.
import 'tsx/esm';

await import('./main.ts');
