// Compiles the native kernels when the package is installed without a binary that works here (--build-from-source
// compiles in any case). Whatever is missing or fails, the install succeeds: the
// reference engine serves, and one line says why.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNvcc } from './cuda/nvcc.js';
import { loads, PREBUILT } from './prebuilt.js';

const directory = dirname(fileURLToPath(import.meta.url));
const LIMIT_MS = 10 * 60 * 1000;

/** @returns {string | null} why there are no native kernels now, or null when there are */
function build() {
  const missing = ['make', process.env.CXX ?? 'g++', 'python3'].filter(
    tool => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0,
  );
  if (missing.length > 0) return `${missing.join(', ')} not found`;

  const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  const prefix = dirname(dirname(process.execPath));
  // Headers that came with node spare a download.
  const headers = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
  const result = spawnSync(
    process.execPath,
    [nodeGyp, 'rebuild', '-C', directory, '--jobs=max', ...headers, ...process.argv.slice(2)],
    { encoding: 'utf8', timeout: LIMIT_MS, maxBuffer: 64 << 20 },
  );
  if (result.status === 0) return null;
  const lines = `${result.stdout ?? ''}\n${result.stderr ?? ''}`.split('\n');
  const telling = lines.find(line => /\berror\b/i.test(line)) ?? result.error?.message ?? 'node-gyp failed';
  return telling.trim();
}

const mayUsePrebuilt = process.env.npm_config_build_from_source !== 'true' && process.argv.length === 2;
const isPrebuilt = mayUsePrebuilt && loads(PREBUILT);
const reason = isPrebuilt ? null : build();
if (isPrebuilt) console.log('longcat-rt: prebuilt native kernels.');
else if (reason === null) console.log('longcat-rt: native kernels built.');
else console.warn(`longcat-rt: no native kernels (${reason}); the reference engine will serve, slowly.`);

// Half a minute of nvcc: built when it is wanted.
const cuda =
  findNvcc() === null
    ? 'no nvcc here, so no CUDA engine'
    : 'nvcc is here; npm run build:cuda builds the CUDA engine';
console.log(`longcat-rt: ${cuda}.`);
