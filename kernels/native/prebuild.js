// `npm run build:binary`: compiles the native kernels, all SIMD levels of this architecture, for a package that is
// published with its binaries: prebuilds/<platform>-<arch>/longcat_kernels.node. Run it on the oldest system that shall
// be served: the binary needs that C library or a newer one. The C++ library is linked in.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { loads, PREBUILT } from './prebuilt.js';
import { copySources, repository } from './source-copy.js';

new Command('npm run build:binary')
  .description('Compiles the native kernels, all SIMD levels of this architecture, into prebuilds/.')
  .parse();

const copy = mkdtempSync(join(tmpdir(), 'longcat-prebuild-'));

try {
  copySources(copy);
  const native = join(copy, 'kernels/native');
  const gyp = join(repository, 'node_modules/node-gyp/bin/node-gyp.js');
  const headers = `--nodedir=${dirname(dirname(process.execPath))}`;
  const steps = [
    [gyp, 'configure', '-C', native, headers, '--', '-Dportable=1'],
    [gyp, 'build', '-C', native, '--jobs=max'],
  ];
  for (const step of steps) {
    const { status } = spawnSync(process.execPath, step, { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error(`node-gyp ${step[1]} failed (${status})`);
  }
  mkdirSync(dirname(PREBUILT), { recursive: true });
  copyFileSync(join(native, 'build/Release/longcat_kernels.node'), PREBUILT);
  if (!loads(PREBUILT)) throw new Error(`${PREBUILT} does not load`);
  console.log(`longcat-rt: wrote ${PREBUILT}`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
