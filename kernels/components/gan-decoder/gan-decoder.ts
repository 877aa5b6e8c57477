import { join } from 'node:path';
import type { Conv1d } from '../../conv1d/index.ts';
import type { Ops } from '../../ops.ts';
import { hostMemory } from '../../tensor-memory.ts';
import { openWeightFile, type Weights } from '../../weights/index.ts';
import { type AcousticQuantizer, loadAcousticQuantizer } from '../acoustic-quantizer.ts';
import type { GanDecoderConfig } from '../codec-config.ts';
import { normalizedConv1d } from '../weight-norm.ts';
import { Workspace } from '../workspace.ts';
import { decodeTogether } from './decode.ts';
import {
  type DecoderNetwork,
  type DecoderWork,
  EDGE_KERNEL,
  type GanDecoderStream,
  LOOKAHEAD_FRAMES,
  type MemoryLayer,
  type StreamState,
} from './decoder-parts.ts';
import { DecoderStream } from './decoder-stream.ts';
import { UpsampleBlock } from './upsample-block.ts';

/** The streaming 24 kHz decoder of a model directory (docs/spec/model.md §4.5); holds no stream. */
export interface GanDecoder {
  /** Codes of one frame: semantic, then the acoustic stages. */
  readonly codebooks: number;
  /** Valid codes are 0 … entries − 1. */
  readonly semanticEntries: number;
  readonly acousticEntries: number;
  /** Samples of one frame (1440 for the 24 kHz codec). */
  readonly samplesPerFrame: number;
  readonly lookAheadFrames: number;
  createStream(): GanDecoderStream;
  /**
   * What each stream would give by itself, to the bit; the layers that are mostly weights go over the frames of all of
   * them at once. A rejected work leaves all of them as they were.
   * @throws RuntimeError as `GanDecoderStream.push`
   */
  decode(works: readonly DecoderWork[]): Float32Array[];
}

/**
 * Loads the weights of the decoder in `audio_codec/`.
 * @param config what `readGanDecoderConfig` says of it
 * @throws RuntimeError `weights.*`, naming file and tensor
 */
export function ganDecoderOf(ops: Ops, modelDirectory: string, config: GanDecoderConfig): GanDecoder {
  const weights = openWeightFile(join(modelDirectory, 'audio_codec', config.ckpt_path));
  try {
    return new LoadedGanDecoder(ops, config, weights);
  } finally {
    weights.close();
  }
}

class LoadedGanDecoder implements GanDecoder, DecoderNetwork {
  readonly codebooks: number;
  readonly semanticEntries: number;
  readonly acousticEntries: number;
  readonly samplesPerFrame: number;
  readonly lookAheadFrames = LOOKAHEAD_FRAMES;
  readonly ops: Ops;
  readonly quantizer: AcousticQuantizer;
  readonly semanticTable: Float32Array;
  readonly semanticWidth: number;
  /** Width of a frame through embedding and memory. */
  readonly width: number;
  readonly memory: readonly MemoryLayer[];
  readonly first: Conv1d;
  readonly blocks: readonly UpsampleBlock[];
  readonly lastAlpha: Float32Array;
  readonly last: Conv1d;
  readonly workspace = new Workspace(hostMemory);

  constructor(ops: Ops, config: GanDecoderConfig, weights: Weights) {
    this.ops = ops;
    this.quantizer = loadAcousticQuantizer(ops, weights, config);
    this.codebooks = 1 + this.quantizer.stages;
    this.semanticEntries = config.semantic_token_nums;
    this.acousticEntries = this.quantizer.entries;
    this.semanticWidth = config.semantic_dim;
    this.semanticTable = weights.floats('semantic_dequantizer.dequant.weight', [
      this.semanticEntries,
      this.semanticWidth,
    ]);
    this.width = config.semantic_dim + config.codec_dimension;
    this.memory = [1, 2].map(n => loadMemoryLayer(ops, weights, n, this.width));
    let channels = config.decoder_dim;
    this.first = normalizedConv1d(ops, weights, 'decoder.model.0', {
      inputs: this.width,
      outputs: channels,
      kernel: EDGE_KERNEL,
    });
    this.blocks = config.codec_dec_ratios.map((stride, b) => {
      const shape = { inputs: channels, outputs: Math.floor(channels / 2), stride };
      channels = shape.outputs;
      return new UpsampleBlock(ops, weights, `decoder.model.${b + 1}`, shape);
    });
    const after = this.blocks.length + 1;
    this.lastAlpha = weights.floats(`decoder.model.${after}.alpha`, [1, channels, 1]);
    this.last = normalizedConv1d(ops, weights, `decoder.model.${after + 2}`, {
      inputs: channels,
      outputs: 1,
      kernel: EDGE_KERNEL,
    });
    this.samplesPerFrame = config.codec_dec_ratios.reduce((product, stride) => product * stride, 1);
  }

  createStream(): GanDecoderStream {
    return new DecoderStream(this);
  }

  decode(works: readonly DecoderWork[]): Float32Array[] {
    return decodeTogether(this, works as readonly (DecoderWork & { readonly stream: StreamState })[]);
  }
}

function loadMemoryLayer(ops: Ops, weights: Weights, n: number, width: number): MemoryLayer {
  const name = 'decoder.mem_layers.0';
  const lstm = `${name}.lstm_list${n}.0`;
  return {
    lstm: ops.lstm({
      inputs: width,
      hidden: width,
      inputWeight: weights.floats(`${lstm}.weight_ih_l0`, [4 * width, width]),
      recurrentWeight: weights.floats(`${lstm}.weight_hh_l0`, [4 * width, width]),
      inputBias: weights.floats(`${lstm}.bias_ih_l0`, [4 * width]),
      recurrentBias: weights.floats(`${lstm}.bias_hh_l0`, [4 * width]),
    }),
    weight: weights.floats(`${name}.ln${n}.weight`, [width]),
    bias: weights.floats(`${name}.ln${n}.bias`, [width]),
  };
}
