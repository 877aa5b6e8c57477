import type { PrepareLinear } from './linear/index.ts';
import type { RmsNorm } from './rms-norm/index.ts';
import type { Swiglu } from './swiglu/index.ts';

/**
 * The operations an engine brings; components are written once against this and run on any engine.
 * Activations are row-major `Float32Array`s (rows × width); a row is computed in the same order whatever the batch.
 */
export interface Ops {
  readonly linear: PrepareLinear;
  readonly rmsNorm: RmsNorm;
  readonly swiglu: Swiglu;
}
