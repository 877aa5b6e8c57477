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
  return result.status === 0 ? null : telling(result, 'node-gyp failed');
}

/** The line that says why a compilation failed. */
function telling({ stdout, stderr, error }, otherwise) {
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n');
  return (lines.find(line => /\berror\b/i.test(line)) ?? error?.message ?? otherwise).trim();
}

/** What is to be said of the CUDA engine, which is built where nvcc is: a minute of it. */
function buildCuda() {
  if (process.env.LONGCAT_RT_CUDA === 'off') return 'no CUDA engine, as LONGCAT_RT_CUDA says';
  if (findNvcc() === null) return 'no nvcc here, so no CUDA engine';
  const builder = join(directory, 'cuda/build.js');
  const result = spawnSync(process.execPath, [builder], { encoding: 'utf8', timeout: LIMIT_MS });
  return result.status === 0
    ? 'the CUDA engine is built'
    : `no CUDA engine (${telling(result, 'nvcc failed')}); npm run build:cuda says more`;
}

const mayUsePrebuilt = process.env.npm_config_build_from_source !== 'true' && process.argv.length === 2;
const isPrebuilt = mayUsePrebuilt && loads(PREBUILT);
const reason = isPrebuilt ? null : build();
if (isPrebuilt) console.log('longcat-rt: prebuilt native kernels.');
else if (reason === null) console.log('longcat-rt: native kernels built.');
else console.warn(`longcat-rt: no native kernels (${reason}); the reference engine will serve, slowly.`);

console.log(`longcat-rt: ${buildCuda()}.`);
