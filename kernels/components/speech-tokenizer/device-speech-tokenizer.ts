import type { CudaComponentHandle } from '../../native/cuda/addon.ts';
import type { CudaDevice } from '../../native/cuda/device.ts';
import type { Ops } from '../../ops.ts';
import { openWeightFile } from '../../weights/index.ts';
import { bytesOfTensors, loadTensors } from '../device-tensors.ts';
import { deviceTensors } from './device-weights.ts';
import { CHANNELS } from './semantic-encoder.ts';
import {
  frameGeometry,
  paddedUtterance,
  type SpeechCodes,
  type SpeechTokenizer,
  type SpeechTokenizerSetup,
} from './speech-tokenizer.ts';

export interface DeviceTokenizerOptions {
  /** Of the longest utterance that memory is planned for; as long as one may be where nothing is said. */
  readonly maxSamples?: number;
}

/** The codec's encoder on a device: features are taken here, samples and features go there, and codes come back. */
export class DeviceSpeechTokenizer implements SpeechTokenizer {
  readonly codebooks: number;
  readonly samplesPerFrame: number;
  /** Weights and workspace together. */
  readonly deviceBytes: number;
  readonly #ops: Ops;
  readonly #setup: SpeechTokenizerSetup;
  readonly #fbank: ReturnType<Ops['fbank']>;
  readonly #maxSamples: number;
  readonly #device: CudaDevice;
  readonly #tokenizer: CudaComponentHandle;

  /**
   * @param ops of this processor, for what is done here
   * @throws RuntimeError `config.invalid` | `weights.*` | `cuda.*`
   */
  constructor(
    ops: Ops,
    modelDirectory: string,
    setup: SpeechTokenizerSetup,
    device: CudaDevice,
    options: DeviceTokenizerOptions = {},
  ) {
    const { config } = setup;
    const { weightsPath, strides, fbank, samplesPerFrame, ...geometry } = frameGeometry(
      ops,
      modelDirectory,
      setup,
    );
    const maxSamples = Math.min(geometry.maxSamples, options.maxSamples ?? geometry.maxSamples);
    this.codebooks = 1 + config.codec_config.codec_codebooks;
    this.samplesPerFrame = samplesPerFrame;
    this.#ops = ops;
    this.#setup = setup;
    this.#fbank = fbank;
    this.#maxSamples = maxSamples;
    this.#device = device;
    const mostFrames = Math.ceil(maxSamples / samplesPerFrame);
    const weights = openWeightFile(weightsPath);
    try {
      const tensors = () => deviceTensors(weights, config, strides, mostFrames);
      const bytes = bytesOfTensors(tensors());
      this.#tokenizer = device.guard('planning the memory of a tokenizer', () =>
        device.addon.createSpeechTokenizer(this.#sizes(strides, mostFrames), bytes),
      );
      this.deviceBytes = loadTensors(device, this.#tokenizer, tensors());
    } finally {
      weights.close();
    }
  }

  encode(samples: Float32Array): SpeechCodes {
    const { frames, padded } = paddedUtterance(samples, this.samplesPerFrame, this.#maxSamples);
    const codes = new Int32Array(frames * this.codebooks);
    if (frames === 0) return { frames, codes };
    const energies = this.#fbank.apply(padded);
    const rows = energies.length / this.#fbank.bins;
    const features = this.#ops.cmvn(energies, rows, this.#setup.statistics, energies);
    this.#device.guard('an utterance', () =>
      this.#device.addon.stepSpeechTokenizer(this.#tokenizer, padded, features, codes),
    );
    return { frames, codes };
  }

  /** The order of createSpeechTokenizer in native/cuda/bind-speech-tokenizer.cpp. */
  #sizes(strides: readonly number[], mostFrames: number): Int32Array {
    const { codec_config: codec, semantic_tokenizer, semantic_tokenizer_config } = this.#setup.config;
    const { VGGtf_encoder: transformer } = semantic_tokenizer.encoder;
    const { feat_dim, d_model, nhead, dim_feedforward } = transformer;
    const { select_layer, codebook_size } = semantic_tokenizer_config;
    return Int32Array.of(
      ...[feat_dim, CHANNELS, d_model, nhead, dim_feedforward, select_layer, codebook_size],
      ...[codec.encoder_dim, codec.codec_dimension, codec.codec_codebooks, codec.codec_codebook_size],
      ...[codec.codec_codebook_search_dim, mostFrames, strides.length, ...strides, ...codec.codec_enc_ratios],
    );
  }
}
