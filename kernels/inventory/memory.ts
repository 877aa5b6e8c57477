import { totalmem } from 'node:os';
import { RuntimeError } from '../errors.ts';
import type { Weights } from '../weights/index.ts';
import type { Expected } from './compare.ts';

const GIB = 2 ** 30;

/** `1.2 GiB`, `37 MiB`. */
export function inGibibytes(bytes: number): string {
  return bytes >= 0.1 * GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Held as floats whatever the file holds: the latent attention's expansion and the cascade between code heads. */
const WIDENED = /\.kv_b_proj\.weight$|^embedding\.\d\.weight$/;

/**
 * Bytes that the tensors take once they are loaded: matrices in bfloat16 stay so, fp8 becomes bfloat16, all else is
 * float32.
 *
 * @param matrices how matrices are held
 */
export function loadedBytes(
  weights: Weights,
  { shapes, optional }: Expected,
  matrices: 'stored' | 'int8' = 'stored',
): number {
  let bytes = 0;
  for (const [name, shape] of [...shapes, ...(optional ?? [])]) {
    if (!weights.has(name)) continue;
    const count = shape.reduce((product, size) => product * size, 1);
    bytes += count * elementBytes(name, shape, weights.typeOf(name), matrices);
  }
  return bytes;
}

function elementBytes(
  name: string,
  shape: readonly number[],
  type: string,
  matrices: 'stored' | 'int8',
): number {
  if (shape.length < 2 || WIDENED.test(name)) return 4;
  if (matrices === 'int8' && name !== 'model.embed_tokens.weight') return 1;
  return type === 'BF16' || type.startsWith('F8') ? 2 : 4;
}

/** What this process may have in all: the machine's memory, or the limit that it runs under. */
export function machineMemoryBytes(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** @throws RuntimeError `weights.memory` before anything is loaded that cannot fit */
export function refuseTooLarge(directory: string, needs: number, has: number): void {
  if (needs <= has) return;
  throw new RuntimeError(
    'weights.memory',
    'The model does not fit into the memory of this machine.',
    { model: directory, needs: inGibibytes(needs), has: inGibibytes(has) },
    'Use a machine with more memory, a smaller model, or `--weights int8`.',
  );
}
