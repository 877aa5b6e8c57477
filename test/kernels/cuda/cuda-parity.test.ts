import { beforeAll, describe, expect, it } from 'vitest';
import type { CudaAddon } from '../../../kernels/native/cuda/addon.ts';
import { deviceOps } from '../../../kernels/native/cuda/cuda-ops.ts';
import { CudaDevice } from '../../../kernels/native/cuda/device.ts';
import type { Ops } from '../../../kernels/ops.ts';
import { referenceOps } from '../../../kernels/reference-ops.ts';
import { compareOnCase } from '../parity.ts';
import { parityCases } from '../parity-cases.ts';
import { BUILD_MS, emulatedAddon, NO_EMULATION } from './emulated-device.ts';

/** Every so many cases of an operation in the suite; `npm run test:cuda-emulation` takes all. */
const STRIDE = process.env.LONGCAT_RT_ALL_CASES ? 1 : 4;

/** Of blocks, lanes and independent work. */
const ORDER = 1000 * Number(process.env.LONGCAT_RT_EMULATION_ORDER ?? 0) + 1;

/** Cases that these kernels do not claim: matrices are held as the checkpoint has them. */
const isClaimed = ({ label }: { label: string }) => !label.includes('int8');

describe.skipIf(NO_EMULATION !== null)('CUDA kernels against the reference, emulated and checked', () => {
  let addon: CudaAddon;
  let ops: Ops;

  beforeAll(async () => {
    addon = await emulatedAddon('checked');
    ops = { ...referenceOps, ...deviceOps(new CudaDevice(addon)) };
  }, BUILD_MS);

  for (const op of Object.keys(deviceOps({} as CudaDevice)) as (keyof Ops)[]) {
    it(`${op} stays within its bound, its memory and its barriers`, () => {
      const cases = parityCases.filter(parityCase => parityCase.op === op && isClaimed(parityCase));
      expect(cases.length).toBeGreaterThan(0);
      const chosen = cases.filter((_, n) => cases.length < 8 || n % STRIDE === 0);
      const problems = chosen.flatMap((parityCase, n) => {
        addon.seed?.(ORDER + n);
        const { problem } = compareOnCase(parityCase, referenceOps, ops, n + 1);
        return problem ? [`${parityCase.label}: ${problem}`] : [];
      });
      expect(problems).toEqual([]);
    });
  }
});
