import { RuntimeError } from '../errors.ts';
import type { NativeAddon, NativeHandle } from '../native/addon.ts';
import type { Weight } from '../weights/index.ts';
import type { Linear, PrepareLinear } from './index.ts';

/** bfloat16 weights stay as they are, half the memory to read; float16 is expanded. */
export const storedValues = (weight: Weight): Float32Array | Uint16Array =>
  weight.dtype === 'bf16' ? weight.data : weight.toFloat32();

export function packWeight(
  addon: NativeAddon,
  weight: Weight,
  bias: Float32Array | null,
): Omit<Linear, 'apply'> & { readonly matrix: NativeHandle } {
  const outputs = weight.shape[0];
  const inputs = weight.shape.slice(1).reduce((product, size) => product * size, 1);
  if (weight.shape.length < 2 || outputs < 1 || inputs < 1 || (bias && bias.length !== outputs)) {
    throw new RuntimeError('linear.shape', 'A linear layer needs a matrix and a bias of its output width.', {
      tensor: weight.name,
      shape: weight.shape.join('×'),
      bias: bias?.length,
    });
  }
  return { inputs, outputs, matrix: addon.packMatrix(storedValues(weight), bias, outputs, inputs) };
}

export const nativeLinear =
  (addon: NativeAddon): PrepareLinear =>
  (weight, bias): Linear => {
    const { inputs, outputs, matrix } = packWeight(addon, weight, bias);
    return {
      inputs,
      outputs,
      apply(x, rows, out = new Float32Array(rows * outputs)) {
        addon.multiply(matrix, x, rows, out);
        return out;
      },
    };
  };
