import type { Config } from '../config/schema.ts';
import { inGibibytes } from '../../kernels/inventory/index.ts';
import type { CudaDescription } from '../../kernels/native/cuda/addon.ts';
import type { Finding } from './finding.ts';

/**
 * @param wanted the setting
 * @param cuda the device, or why there is none
 */
export function engineFinding(
  wanted: Config['engine'],
  native: { readonly level?: string | null; readonly reason?: string | null },
  cuda: CudaDescription | string = 'not looked for',
): Finding {
  const { level, reason } = native;
  if (wanted === 'reference')
    return {
      what: 'engine',
      found: 'reference',
      meaning: 'used and slow, because the setting `engine` says so',
    };
  if (wanted === 'cuda')
    return typeof cuda === 'string'
      ? {
          what: 'engine',
          found: 'none',
          meaning: `the setting \`engine\` wants cuda: ${cuda}; cpu would serve`,
        }
      : {
          what: 'engine',
          found: 'cuda',
          meaning: 'used because the setting says so (docs/cuda.md)',
        };
  if (level)
    return { what: 'engine', found: 'cpu', meaning: `used, SIMD level ${level} (LONGCAT_RT_ISA overrides)` };
  if (wanted === 'cpu')
    return {
      what: 'engine',
      found: 'none',
      meaning: `the setting \`engine\` wants cpu, which does not load: ${reason}`,
    };
  return {
    what: 'engine',
    found: 'reference',
    meaning: `used and slow, because the native addon does not load: ${reason}`,
  };
}

/** The device that `engine: cuda` would use. */
export function cudaFinding(cuda: CudaDescription | string): Finding {
  if (typeof cuda === 'string') return { what: 'cuda', found: 'none', meaning: `${cuda}; cpu serves` };
  const memory = inGibibytes(cuda.memoryBytes);
  return {
    what: 'cuda',
    found: cuda.name,
    meaning: `${memory}, ${inGibibytes(cuda.freeBytes)} free; used with \`engine: cuda\` or \`place: languageModel=cuda\` (docs/cuda.md)`,
  };
}
