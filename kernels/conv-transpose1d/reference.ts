import { RuntimeError } from '../errors.ts';
import type { PrepareLinear } from '../linear/index.ts';
import { prepareLinear } from '../linear/reference.ts';
import { createWeight } from '../weights/index.ts';
import type { PrepareConvTranspose1d } from './index.ts';

interface TransposedShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
}

/** [inputs × outputs × stride] → [(stride × outputs) × inputs]. */
export function matrixByTap(
  weight: Float32Array,
  { inputs, outputs, stride }: TransposedShape,
): Float32Array {
  const matrix = new Float32Array(weight.length);
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) {
      for (let k = 0; k < stride; k++) {
        matrix[(k * outputs + o) * inputs + i] = weight[(i * outputs + o) * stride + k];
      }
    }
  }
  return matrix;
}

/** Without overlap it is a linear layer from one row to `stride` rows lying side by side. */
export const convTranspose1dOver =
  (linearOf: PrepareLinear): PrepareConvTranspose1d =>
  (weight, bias, { inputs, outputs, stride }) => {
    if (weight.length !== inputs * outputs * stride || (bias && bias.length !== outputs)) {
      throw new RuntimeError(
        'conv-transpose1d.shape',
        'Weight and bias do not fit the transposed convolution.',
        {
          inputs,
          outputs,
          stride,
          weight: weight.length,
          bias: bias?.length,
        },
      );
    }
    const width = stride * outputs;
    const matrix = matrixByTap(weight, { inputs, outputs, stride });
    const repeatedBias = bias && Float32Array.from({ length: width }, (_, n) => bias[n % outputs]);
    const linear = linearOf(createWeight('conv-transpose1d', [width, inputs], 'f32', matrix), repeatedBias);
    return {
      inputs,
      outputs,
      stride,
      apply: (x, rows, out = new Float32Array(rows * width)) => linear.apply(x, rows, out),
    };
  };

export const prepareConvTranspose1d: PrepareConvTranspose1d = convTranspose1dOver(prepareLinear);
