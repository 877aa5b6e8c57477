import { prepareLinear } from './linear/reference.ts';
import type { Ops } from './ops.ts';
import { rmsNorm } from './rms-norm/reference.ts';
import { swiglu } from './swiglu/reference.ts';

/** The operations in plain TypeScript: slow, readable, and the truth the other engines are measured against. */
export const referenceOps: Ops = {
  linear: prepareLinear,
  rmsNorm,
  swiglu,
};
