import { join } from 'node:path';
import type { Conv1d } from '../../conv1d/index.ts';
import { RuntimeError } from '../../errors.ts';
import type { Lstm, LstmState } from '../../lstm/index.ts';
import type { Ops } from '../../ops.ts';
import { openWeightFile, type Weights } from '../../weights/index.ts';
import { type AcousticQuantizer, loadAcousticQuantizer } from '../acoustic-quantizer.ts';
import { type GanDecoderConfig, readGanDecoderConfig } from '../codec-config.ts';
import { normalizedConv1d } from '../weight-norm.ts';
import { Workspace } from '../workspace.ts';
import { type ConvState, streamedConv1d, zeroHistory } from './streamed-conv1d.ts';
import { UpsampleBlock } from './upsample-block.ts';

const KERNEL = 7;
/** Frames that must follow a frame before it can be given: half the kernel of the only centred convolution. */
const LOOKAHEAD_FRAMES = (KERNEL - 1) / 2;
const EPS = 1e-5;
/** Code frames taken through the network at a time; bounds the memory of a long push, not the result. */
const BLOCK_FRAMES = 16;

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
}

/** One stretch of speech, bit-equal however its frames are cut. */
export interface GanDecoderStream {
  /**
   * Takes codes [frames × codebooks] without the id offset and gives the samples of the frames that became complete.
   * A rejected push leaves the stream as it was.
   * @throws RuntimeError `gan-decoder.code` | `gan-decoder.frames` | `gan-decoder.finished`
   */
  push(codes: Int32Array): Float32Array;
  /** The samples of the last frames, followed by nothing; the stream accepts no more. */
  finish(): Float32Array;
}

/**
 * Loads the decoder of `audio_codec/`.
 * @throws RuntimeError `config.*` or `weights.*`, naming file and key or tensor
 */
export function loadGanDecoder(ops: Ops, modelDirectory: string): GanDecoder {
  const directory = join(modelDirectory, 'audio_codec');
  const config = readGanDecoderConfig(directory);
  const weights = openWeightFile(join(directory, config.ckpt_path));
  try {
    return new LoadedGanDecoder(ops, config, weights);
  } finally {
    weights.close();
  }
}

interface MemoryLayer {
  readonly lstm: Lstm;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

class LoadedGanDecoder implements GanDecoder {
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
  readonly workspace = new Workspace();

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
      kernel: KERNEL,
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
      kernel: KERNEL,
    });
    this.samplesPerFrame = config.codec_dec_ratios.reduce((product, stride) => product * stride, 1);
  }

  createStream(): GanDecoderStream {
    return new DecoderStream(this);
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

class DecoderStream implements GanDecoderStream {
  readonly #decoder: LoadedGanDecoder;
  readonly #memory: readonly LstmState[];
  readonly #first: ConvState;
  readonly #blocks: readonly ConvState[][];
  readonly #last: ConvState;
  #finished = false;

  constructor(decoder: LoadedGanDecoder) {
    const { width, memory, first, blocks, last } = decoder;
    this.#decoder = decoder;
    this.#memory = memory.map(() => ({ h: new Float32Array(width), c: new Float32Array(width) }));
    this.#first = zeroHistory(first, LOOKAHEAD_FRAMES);
    this.#blocks = blocks.map(block => block.initialState());
    this.#last = zeroHistory(last);
  }

  push(codes: Int32Array): Float32Array {
    this.#check(codes);
    const { codebooks, samplesPerFrame } = this.#decoder;
    const frames = codes.length / codebooks;
    const out = new Float32Array(frames * samplesPerFrame);
    let written = 0;
    for (let start = 0; start < frames; start += BLOCK_FRAMES) {
      const block = codes.subarray(start * codebooks, (start + BLOCK_FRAMES) * codebooks);
      const samples = this.#synthesize(this.#remember(this.#embed(block)));
      out.set(samples, written);
      written += samples.length;
    }
    return out.slice(0, written);
  }

  finish(): Float32Array {
    this.#check(new Int32Array(0));
    this.#finished = true;
    // Zeros stand for the missing frames behind the memory layers, which are not stepped (docs/spec/model.md §4.5).
    return this.#synthesize(new Float32Array(LOOKAHEAD_FRAMES * this.#decoder.width)).slice();
  }

  #check(codes: Int32Array): void {
    const { codebooks, semanticEntries, acousticEntries } = this.#decoder;
    if (this.#finished) {
      throw new RuntimeError('gan-decoder.finished', 'The stream is finished.', {}, 'Open a new stream.');
    }
    if (codes.length % codebooks !== 0) {
      throw new RuntimeError('gan-decoder.frames', 'Codes come in whole frames.', {
        codes: codes.length,
        codebooks,
      });
    }
    for (let i = 0; i < codes.length; i++) {
      const entries = i % codebooks === 0 ? semanticEntries : acousticEntries;
      if (codes[i] >= 0 && codes[i] < entries) continue;
      throw new RuntimeError(
        'gan-decoder.code',
        'A code is outside its codebook.',
        { frame: Math.floor(i / codebooks), codebook: i % codebooks, code: codes[i], entries },
        'Subtract the id offset of 32 and leave out the frames that are not speech.',
      );
    }
  }

  /** [frames × (semantic embedding | acoustic latent)] */
  #embed(codes: Int32Array): Float32Array {
    const { codebooks, quantizer, semanticTable, semanticWidth, width } = this.#decoder;
    const frames = codes.length / codebooks;
    const acoustic = new Int32Array(frames * quantizer.stages);
    for (let t = 0; t < frames; t++) {
      acoustic.set(codes.subarray(t * codebooks + 1, (t + 1) * codebooks), t * quantizer.stages);
    }
    const latent = quantizer.decode(acoustic, frames);
    const embedded = new Float32Array(frames * width);
    for (let t = 0; t < frames; t++) {
      const entry = codes[t * codebooks] * semanticWidth;
      embedded.set(semanticTable.subarray(entry, entry + semanticWidth), t * width);
      embedded.set(
        latent.subarray(t * quantizer.width, (t + 1) * quantizer.width),
        t * width + semanticWidth,
      );
    }
    return embedded;
  }

  /** Two LSTMs, each followed by a layer norm. */
  #remember(frames: Float32Array): Float32Array {
    const { ops, memory, width } = this.#decoder;
    const rows = frames.length / width;
    return memory.reduce((x, { lstm, weight, bias }, i) => {
      const y = lstm.apply(x, rows, this.#memory[i]);
      return ops.layerNorm(y, rows, weight, bias, EPS, y);
    }, frames);
  }

  /** From memory frames to the samples of the frames whose look-ahead is complete; they hold until the next call. */
  #synthesize(frames: Float32Array): Float32Array {
    const { ops, first, blocks, lastAlpha, last, workspace } = this.#decoder;
    let x = streamedConv1d(first, this.#first, frames, workspace);
    blocks.forEach((block, b) => {
      x = block.step(this.#blocks[b], x, x.length / block.inputs);
    });
    const bent = ops.snake(x, x.length / lastAlpha.length, lastAlpha, x);
    const samples = streamedConv1d(last, this.#last, bent, workspace);
    for (let i = 0; i < samples.length; i++) samples[i] = Math.tanh(samples[i]);
    return samples;
  }
}
