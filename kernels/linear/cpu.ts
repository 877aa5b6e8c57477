import { RuntimeError } from '../errors.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { NativeHandle, StoredValues } from '../native/handles.ts';
import type { StoredPlace } from '../weights/index.ts';
import type { Linear, LinearWeight, PrepareLinear } from './index.ts';

/**
 * bfloat16 and int8 weights stay as they are, a half or a quarter of the memory to read; float16 is expanded. Of what
 * still lies in its file the addon is told the place (`StoredWeight` in native/stored-weight.h).
 */
export function storedValues(weight: LinearWeight): StoredValues {
  if (weight.dtype === 'i8') return weight.data;
  if (weight.place) return placeFields(weight.place);
  return weight.dtype === 'bf16' ? weight.data : weight.toFloat32();
}

const STORED_TYPES = { f32: 0, bf16: 1, fp8: 2 } as const;

function placeFields({ descriptor, begin, type, scales }: StoredPlace): Float64Array {
  const { descriptor: of, begin: at, blockRows, blockColumns } = scales ?? NO_SCALES;
  return Float64Array.of(descriptor, begin, STORED_TYPES[type], of, at, blockRows, blockColumns);
}

const NO_SCALES = { descriptor: -1, begin: 0, blockRows: 1, blockColumns: 1 };

/**
 * Packs weights. Where the addon could not read one in its file, it is read again here, for the error that names file,
 * tensor and element.
 */
export function packing<T>(weights: readonly LinearWeight[], pack: () => T): T {
  try {
    return pack();
  } catch (error) {
    for (const weight of weights) if (weight.dtype !== 'i8' && weight.place) weight.toFloat32();
    throw error;
  }
}

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
    matrix: packing([weight], () =>
      addon.packMatrix(storedValues(weight), bias, outputs, inputs, storedScales(weight)),
    ),
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
