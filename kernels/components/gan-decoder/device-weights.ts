import { paddedChannels, weightByPaddedTap } from '../../conv1d/cuda.ts';
import type { Conv1dShape } from '../../conv1d/index.ts';
import { matrixByTap } from '../../conv-transpose1d/reference.ts';
import { referenceOps } from '../../reference-ops.ts';
import type { Weights } from '../../weights/index.ts';
import { loadAcousticQuantizer } from '../acoustic-quantizer.ts';
import type { GanDecoderConfig } from '../codec-config.ts';
import type { DeviceTensor } from '../device-tensors.ts';
import { foldedWeight } from '../weight-norm.ts';
import { EDGE_KERNEL } from './decoder-parts.ts';
import { DILATIONS, UNIT_KERNEL } from './upsample-block.ts';

/** Everything that a device holds of a decoder, in the order in which native/cuda/gan-decoder.cpp takes it. */
export function* deviceTensors(weights: Weights, config: GanDecoderConfig): Generator<DeviceTensor> {
  const { semantic_token_nums: entries, semantic_dim: semanticWidth } = config;
  const width = semanticWidth + config.codec_dimension;
  yield floats(weights, 'semantic_dequantizer.dequant.weight', [entries, semanticWidth]);
  yield* loadAcousticQuantizer(referenceOps, weights, config).outputs;
  for (const n of [1, 2]) yield* memoryTensors(weights, n, width);
  let channels = config.decoder_dim;
  const edge = { inputs: width, outputs: channels, kernel: EDGE_KERNEL };
  yield* convolutionTensors(weights, 'decoder.model.0', edge);
  for (const [b, stride] of config.codec_dec_ratios.entries()) {
    const shape = { inputs: channels, outputs: Math.floor(channels / 2), stride };
    yield* blockTensors(weights, `decoder.model.${b + 1}`, shape);
    channels = shape.outputs;
  }
  const after = config.codec_dec_ratios.length + 1;
  yield floats(weights, `decoder.model.${after}.alpha`, [1, channels, 1]);
  yield* convolutionTensors(weights, `decoder.model.${after + 2}`, { ...edge, inputs: channels, outputs: 1 });
}

function* memoryTensors(weights: Weights, n: number, width: number): Generator<DeviceTensor> {
  const name = 'decoder.mem_layers.0';
  const lstm = `${name}.lstm_list${n}.0`;
  yield floats(weights, `${lstm}.weight_ih_l0`, [4 * width, width]);
  yield floats(weights, `${lstm}.weight_hh_l0`, [4 * width, width]);
  const recurrent = weights.floats(`${lstm}.bias_hh_l0`, [4 * width]);
  yield weights.floats(`${lstm}.bias_ih_l0`, [4 * width]).map((value, row) => value + recurrent[row]);
  yield weights.floats(`${name}.ln${n}.weight`, [width]);
  yield weights.floats(`${name}.ln${n}.bias`, [width]);
}

function* blockTensors(
  weights: Weights,
  name: string,
  { inputs, outputs, stride }: { readonly inputs: number; readonly outputs: number; readonly stride: number },
): Generator<DeviceTensor> {
  yield weights.floats(`${name}.block.0.alpha`, [1, inputs, 1]);
  yield {
    elements: inputs * outputs * stride,
    make: () => {
      const weight = foldedWeight(weights, `${name}.block.1`, [inputs, outputs, stride]);
      return matrixByTap(weight, { inputs, outputs, stride });
    },
  };
  const bias = weights.floats(`${name}.block.1.bias`, [outputs]);
  yield Float32Array.from({ length: stride * outputs }, (_, n) => bias[n % outputs]);
  for (const [i, dilation] of DILATIONS.entries()) {
    const unit = `${name}.block.${i + 2}.block`;
    const alpha = (at: number) => weights.floats(`${unit}.${at}.alpha`, [1, outputs, 1]);
    const conv = { inputs: outputs, outputs, dilation };
    yield alpha(0);
    yield* convolutionTensors(weights, `${unit}.2`, { ...conv, kernel: UNIT_KERNEL });
    yield alpha(3);
    yield {
      elements: outputs * outputs,
      make: () => foldedWeight(weights, `${unit}.4`, [outputs, outputs, 1]),
    };
    yield weights.floats(`${unit}.4.bias`, [outputs]);
  }
}

function* convolutionTensors(weights: Weights, name: string, shape: Conv1dShape): Generator<DeviceTensor> {
  const { inputs, outputs, kernel } = shape;
  yield {
    elements: outputs * kernel * paddedChannels(inputs),
    make: () => weightByPaddedTap(foldedWeight(weights, name, [outputs, inputs, kernel]), shape),
  };
  yield weights.floats(`${name}.bias`, [outputs]);
}

const floats = (weights: Weights, name: string, shape: readonly number[]): DeviceTensor => ({
  elements: shape.reduce((product, size) => product * size, 1),
  make: () => weights.floats(name, shape),
});
