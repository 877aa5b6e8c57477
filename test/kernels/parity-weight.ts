import { createWeight, float32ToBfloat16, type Weight } from '../../kernels/weights/index.ts';
import type { GuardedMemory } from './parity.ts';

export const weight = (
  memory: GuardedMemory,
  shape: number[],
  dtype: 'f32' | 'bf16',
  magnitude = 1,
): Weight => {
  const values = memory.weights(
    shape.reduce((product, size) => product * size, 1),
    magnitude,
  );
  return createWeight('case', shape, dtype, dtype === 'f32' ? values : float32ToBfloat16(values));
};
