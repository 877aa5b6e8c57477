// `npm run build`, and part of `npm ci`: compiles the sources to dist/, which starts several times as fast as the
// sources do (no loader, no compiler process). Without the compiler (an install without development packages) it says
// so and succeeds: the sources run as they are.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { sourcesOf } from '../kernels/compiled.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = `${root}dist`;

/** @returns the compiler's script, or null */
function compiler() {
  try {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
    return manifest.replace(/package\.json$/, 'bin/tsc');
  } catch {
    return null;
  }
}

const tsc = compiler();
if (!tsc) {
  console.log('longcat-rt: not compiled (no TypeScript here); the sources run as they are.');
} else {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  // The stamp is older than whatever is edited while the compiler runs.
  writeFileSync(`${dist}/.begun`, sourcesOf(root));
  const { status } = spawnSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`], {
    stdio: 'inherit',
  });
  if (status !== 0 || !existsSync(`${dist}/cli/main.js`)) process.exit(status || 1);
  renameSync(`${dist}/.begun`, `${dist}/.built`);
}
