import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { pythonWith } from '../support/python.ts';

const python = pythonWith('torch', 'numpy', 'scipy');
if (!python) console.warn('No Python with PyTorch and scipy: pieces of training are NOT tested.');

describe.skipIf(!python)('training in pieces', () => {
  it('goes on to the same bytes, says its fixtures again, and keeps the highs of a voice', () => {
    const { stdout, stderr, status } = spawnSync(python!, ['train/piece_check.py'], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
    });
    expect(stdout.split('\n').filter(line => line.startsWith('ok: '))).toHaveLength(4);
    expect(status, stdout + stderr).toBe(0);
  });
});
