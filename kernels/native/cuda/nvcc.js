// Imports nothing of ours: the package's installation asks, too.
import { spawnSync } from 'node:child_process';

/** nvcc of NVCC, of the path, or where it is installed by default; null where there is none. */
export function findNvcc() {
  const candidates = [process.env.NVCC, 'nvcc', '/usr/local/cuda/bin/nvcc'].filter(Boolean);
  return candidates.find(path => spawnSync(path, ['--version'], { stdio: 'ignore' }).status === 0) ?? null;
}
