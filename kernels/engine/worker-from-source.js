// The threads of what runs from its sources. A thread does not inherit the parent's loader, and to load one takes a
// second of a processor: what was compiled runs here, as at the command (cli/longcat-rt.js), unless a source is newer.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';
import { isCompiled } from '../compiled.js';

const root = new URL('../../', import.meta.url);

/** What the source was compiled to, or itself. */
function compiledFrom(entry) {
  const compiled = entry.replace(root.href, `${root.href}dist/`).replace(/\.ts$/, '.js');
  return existsSync(fileURLToPath(compiled)) ? compiled : entry;
}

async function useSources() {
  const { register } = await import('tsx/esm/api');
  register();
}

if (isCompiled(fileURLToPath(root))) {
  const services = Object.values(workerData);
  for (const service of services) service.entry = compiledFrom(service.entry);
  if (services.some(({ entry }) => entry.endsWith('.ts'))) await useSources();
  await import(new URL('dist/kernels/engine/worker.js', root).href);
} else {
  await useSources();
  await import('./worker.ts');
}
