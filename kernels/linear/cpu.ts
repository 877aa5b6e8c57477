import { RuntimeError } from '../errors.ts';
import type { NativeAddon, NativeHandle } from '../native/addon.ts';
import type { Linear, LinearWeight, PrepareLinear } from './index.ts';

/** bfloat16 and int8 weights stay as they are, a half or a quarter of the memory to read; float16 is expanded. */
export const storedValues = (weight: LinearWeight): Float32Array | Uint16Array | Int8Array =>
  weight.dtype === 'bf16' || weight.dtype === 'i8' ? weight.data : weight.toFloat32();

export const storedScales = (weight: LinearWeight): Float32Array | null =>
  weight.dtype === 'i8' ? weight.scales : null;

export function packWeight(
  addon: NativeAddon,
  weight: LinearWeight,
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
  return {
    inputs,
    outputs,
    matrix: addon.packMatrix(storedValues(weight), bias, outputs, inputs, storedScales(weight)),
  };
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
