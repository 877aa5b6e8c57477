// Where a published package carries its binary for this machine, and whether that one works here.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 30_000;

export const PREBUILT = fileURLToPath(
  new URL(`./prebuilds/${process.platform}-${process.arch}/longcat_kernels.node`, import.meta.url),
);

/** Tried in a process of its own: a binary for another C library or processor may take the process down. */
export function loads(path) {
  if (!existsSync(path)) return false;
  const script = `process.exit(require(${JSON.stringify(path)}).levels.length > 0 ? 0 : 1)`;
  return (
    spawnSync(process.execPath, ['-e', script], { stdio: 'ignore', timeout: LIMIT_MS, env: {} }).status === 0
  );
}
