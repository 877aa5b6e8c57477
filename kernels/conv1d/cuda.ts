import type { CudaDevice } from '../native/cuda/device.ts';
import { createWeight } from '../weights/index.ts';
import type { Conv1dShape, PrepareConv1d } from './index.ts';
import { checkConv1d, weightByTap } from './reference.ts';

const NO_BIAS = new Float32Array(0);
/** What a lane reads at once (cuda.cu). */
const PIECE = 16;

export const paddedChannels = (channels: number): number => Math.ceil(channels / PIECE) * PIECE;

/** [outputs × inputs × kernel] → [outputs × kernel × inputs filled up with zeros to whole pieces]. */
export function weightByPaddedTap(weight: Float32Array, shape: Conv1dShape): Float32Array {
  const { inputs, outputs, kernel } = shape;
  const byTap = weightByTap(weight, shape);
  const padded = paddedChannels(inputs);
  if (padded === inputs) return byTap;
  const filled = new Float32Array(outputs * kernel * padded);
  for (let tap = 0; tap < outputs * kernel; tap++)
    filled.set(byTap.subarray(tap * inputs, (tap + 1) * inputs), tap * padded);
  return filled;
}

export const cudaConv1d =
  (device: CudaDevice): PrepareConv1d =>
  (weight, bias, shape) => {
    checkConv1d(weight, bias, shape);
    const { inputs, outputs, kernel, dilation = 1, stride = 1 } = shape;
    const filled = weightByPaddedTap(weight, shape);
    const matrix = device.hold(createWeight('conv1d', [filled.length], 'f32', filled));
    const span = (kernel - 1) * dilation + 1;
    const outputRows = (inputRows: number): number =>
      inputRows < span ? 0 : Math.floor((inputRows - span) / stride) + 1;
    return {
      shape,
      span,
      outputRows,
      apply(x, inputRows, out = new Float32Array(outputRows(inputRows) * outputs)) {
        const rows = outputRows(inputRows);
        const numbers = [outputs, inputs, kernel, dilation, stride, inputRows, rows];
        const arrays = [matrix, x.subarray(0, inputRows * inputs), bias ?? NO_BIAS];
        device.run('conv1d', numbers, arrays, [out.subarray(0, rows * outputs)]);
        return out;
      },
    };
  };
