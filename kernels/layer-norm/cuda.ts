import type { CudaDevice } from '../native/cuda/device.ts';
import type { LayerNorm } from './index.ts';

export const cudaLayerNorm =
  (device: CudaDevice): LayerNorm =>
  (x, rows, weight, bias, epsilon, out = new Float32Array(rows * weight.length)) => {
    const count = rows * weight.length;
    const inputs = [x.subarray(0, count), weight, bias];
    device.run('layerNorm', [rows, weight.length, epsilon], inputs, [out.subarray(0, count)]);
    return out;
  };
