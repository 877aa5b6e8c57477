import type { CudaDevice } from '../native/cuda/device.ts';
import { createWeight } from '../weights/index.ts';
import type { PrepareLstm } from './index.ts';

export const cudaLstm =
  (device: CudaDevice): PrepareLstm =>
  ({ inputs, hidden, inputWeight, recurrentWeight, inputBias, recurrentBias }) => {
    const hold = (name: string, values: Float32Array) =>
      device.hold(createWeight(name, [values.length], 'f32', values));
    const weights = [
      hold('lstm input', inputWeight),
      hold('lstm recurrent', recurrentWeight),
      hold(
        'lstm bias',
        inputBias.map((value, row) => value + recurrentBias[row]),
      ),
    ];
    return {
      inputs,
      hidden,
      apply(x, rows, { h, c }, out = new Float32Array(rows * hidden)) {
        const arrays = [...weights, x.subarray(0, rows * inputs)];
        const outputs = [out.subarray(0, rows * hidden)];
        device.run('lstm', [rows, inputs, hidden], arrays, outputs, [h, c]);
        return out;
      },
    };
  };
