import type { NativeAddon } from '../native/addon.ts';
import type { PrepareLstm } from './index.ts';

export const nativeLstm =
  (addon: NativeAddon): PrepareLstm =>
  ({ inputs, hidden, inputWeight, recurrentWeight, inputBias, recurrentBias }) => {
    const bias = inputBias.map((value, row) => value + recurrentBias[row]);
    const input = addon.packMatrix(inputWeight, bias, 4 * hidden, inputs);
    const recurrent = addon.packMatrix(recurrentWeight, null, 4 * hidden, hidden);
    return {
      inputs,
      hidden,
      apply(x, rows, { h, c }, out = new Float32Array(rows * hidden)) {
        addon.lstm(input, recurrent, x, rows, h, c, out);
        return out;
      },
    };
  };
