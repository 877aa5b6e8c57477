import { RuntimeError } from '../errors.ts';
import { asStored, type CudaDevice } from '../native/cuda/device.ts';
import type { Linear, PrepareLinear } from './index.ts';

const NO_BIAS = new Float32Array(0);

export const cudaLinear =
  (device: CudaDevice): PrepareLinear =>
  (weight, bias): Linear => {
    const outputs = weight.shape[0];
    const inputs = weight.shape.slice(1).reduce((product, size) => product * size, 1);
    if (weight.shape.length < 2 || outputs < 1 || inputs < 1 || (bias && bias.length !== outputs)) {
      const values = { tensor: weight.name, shape: weight.shape.join('×'), bias: bias?.length };
      throw new RuntimeError(
        'linear.shape',
        'A linear layer needs a matrix and a bias of its output width.',
        values,
      );
    }
    const matrix = device.hold(asStored(weight));
    return {
      inputs,
      outputs,
      apply(x, rows, out = new Float32Array(rows * outputs)) {
        const inputsOf = [matrix, x.subarray(0, rows * inputs), bias ?? NO_BIAS];
        device.run('linear', [outputs, inputs, rows], inputsOf, [out.subarray(0, rows * outputs)]);
        return out;
      },
    };
  };
