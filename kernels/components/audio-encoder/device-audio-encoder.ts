import { join } from 'node:path';
import { RuntimeError } from '../../errors.ts';
import type { CudaComponentHandle } from '../../native/cuda/addon.ts';
import type { CudaDevice } from '../../native/cuda/device.ts';
import type { Ops } from '../../ops.ts';
import { openWeightFile } from '../../weights/index.ts';
import { DeviceSlots } from '../device-slots.ts';
import { bytesOfTensors, loadTensors } from '../device-tensors.ts';
import { CaptionReader } from './caption-reader.ts';
import type { AudioEncoderConfig, AudioEncoderNetwork } from './config.ts';
import { DeviceEncoderPart, DeviceUtterance, type EncoderSlots } from './device-utterance.ts';
import { deviceTensors } from './device-weights.ts';
import type { EncodedVectors, EncoderWork, UtteranceStream } from './encoded-audio.ts';
import { extractorOf, type FeatureExtractor, FeatureStream } from './feature-stream.ts';

export interface DeviceEncoderOptions {
  /** Utterances whose state the device has room for. */
  readonly slots?: number;
  /** Vectors that go through the layers at once, and of how many streams; more go in several passes. Same bits. */
  readonly rows?: number;
  readonly streams?: number;
}

const DEFAULTS = { slots: 512, rows: 256, streams: 128 };

/**
 * The audio encoder with its network on a device: filter bank and splicing are done here, spliced vectors go there, and
 * the language model's vectors and the captions' logits come back. An utterance's vectors have the same bits whatever
 * else is in its batch and however its samples are cut.
 */
export class DeviceAudioEncoder {
  /** Weights, state and workspace together. */
  readonly deviceBytes: number;
  readonly #network: AudioEncoderNetwork;
  readonly #extractor: FeatureExtractor;
  readonly #device: CudaDevice;
  readonly #encoder: CudaComponentHandle;
  readonly #limits: Required<DeviceEncoderOptions>;
  readonly #captionEntries: number;
  readonly #slots: EncoderSlots;

  /**
   * @param ops of this processor, for what is done here
   * @throws RuntimeError `weights.*` | `cuda.*`
   */
  constructor(
    ops: Ops,
    modelDirectory: string,
    config: AudioEncoderConfig,
    device: CudaDevice,
    options: DeviceEncoderOptions = {},
  ) {
    const { network } = config;
    this.#network = network;
    this.#extractor = extractorOf(ops, config);
    this.#device = device;
    this.#limits = { ...DEFAULTS, ...options };
    const directory = join(modelDirectory, 'audio');
    const encoder = openWeightFile(join(directory, 'audio_encoder.safetensors'));
    const projector = openWeightFile(join(directory, 'audio_projector.safetensors'));
    try {
      this.#captionEntries = encoder.has('output.weight') ? network.vocab_size : 0;
      const bytes = bytesOfTensors(deviceTensors(network, encoder, projector));
      this.#encoder = device.guard('planning the memory of an encoder', () =>
        device.addon.createAudioEncoder(this.#sizes(), bytes),
      );
      this.deviceBytes = loadTensors(device, this.#encoder, deviceTensors(network, encoder, projector));
    } finally {
      encoder.close();
      projector.close();
    }
    const free = new DeviceSlots('audio-encoder', this.#limits.slots);
    this.#slots = {
      take: () => free.take(),
      giveBack: slot => free.giveBack(slot),
      copy: (from, to) =>
        device.guard('a copy', () => device.addon.copyAudioEncoder(this.#encoder, from, to)),
    };
  }

  createCaptionReader(): CaptionReader | null {
    const words = this.#network.ctc_words;
    return words && this.#captionEntries > 0 ? new CaptionReader(words) : null;
  }

  /** @throws RuntimeError `audio-encoder.full` */
  createStream(): UtteranceStream {
    const slot = this.#slots.take();
    this.#device.guard('a new stream', () => this.#device.addon.clearAudioEncoder(this.#encoder, slot));
    const features = new FeatureStream(this.#extractor);
    return new DeviceUtterance(this.#slots, slot, features, new Int32Array(this.#network.nlayer));
  }

  /**
   * What each stream would give by itself, to the bit.
   * @throws RuntimeError `audio-encoder.finished`
   */
  encode(works: readonly EncoderWork<UtteranceStream>[]): {
    readonly each: readonly EncodedVectors[];
    readonly count: number;
    logits(): Float32Array;
  } {
    const own = works as readonly EncoderWork<DeviceUtterance>[];
    for (const { stream } of own) stream.expectOpen();
    const parts = own.map(
      ({ stream, samples, end }) => new DeviceEncoderPart(stream, stream.hear(samples, end), end),
    );
    for (;;) {
      const going = this.#next(parts.filter(({ isWaiting }) => isWaiting));
      if (going.length === 0) break;
      this.#pass(going);
    }
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    return {
      each: parts.map(part => ({ count: part.count, vectors: part.joined('vectors') })),
      count,
      logits: () => {
        if (this.#captionEntries === 0)
          throw new RuntimeError('audio-encoder.no-captions', 'This audio encoder has no CTC head.');
        const all = new Float32Array(count * this.#captionEntries);
        let at = 0;
        for (const part of parts) {
          const logits = part.joined('logits');
          all.set(logits, at);
          at += logits.length;
        }
        return all;
      },
    };
  }

  /** As many as go at once, each with as many vectors as there is room for. */
  #next(waiting: readonly DeviceEncoderPart[]) {
    let room = this.#limits.rows;
    const going = [];
    for (const part of waiting.slice(0, this.#limits.streams)) {
      const rows = Math.min(part.left, room);
      if (rows === 0 && part.left > 0) continue;
      room -= rows;
      going.push({ part, rows, isEnding: part.endsWith(rows) });
    }
    return going;
  }

  #pass(going: readonly { part: DeviceEncoderPart; rows: number; isEnding: boolean }[]): void {
    const { nlayer, num_right_layers, right_order, left_stride, input_size, proj_output_dim } = this.#network;
    const lookAhead = num_right_layers * right_order * left_stride;
    const integers = (value: (item: (typeof going)[number]) => number) => Int32Array.from(going, value);
    const seen = new Int32Array(going.length * nlayer);
    const rows = going.reduce((sum, item) => sum + item.rows, 0);
    const spliced = new Float32Array(rows * input_size);
    let at = 0;
    for (const [i, item] of going.entries()) {
      seen.set(item.part.stream.seen, i * nlayer);
      spliced.set(item.part.vectorsOf(item.rows, input_size), at);
      at += item.rows * input_size;
    }
    const most = rows + going.filter(({ isEnding }) => isEnding).length * lookAhead;
    const counts = new Int32Array(going.length);
    const vectors = new Float32Array(most * proj_output_dim);
    const logits = new Float32Array(most * this.#captionEntries);
    this.#device.guard('a pass of the audio encoder', () =>
      this.#device.addon.stepAudioEncoder(
        ...([this.#encoder, integers(({ part }) => part.stream.slot), integers(item => item.rows)] as const),
        ...([integers(({ isEnding }) => Number(isEnding)), seen, spliced, counts, vectors, logits] as const),
      ),
    );
    let row = 0;
    for (const [i, { part, rows: taken, isEnding }] of going.entries()) {
      part.stream.seen.set(seen.subarray(i * nlayer, (i + 1) * nlayer));
      const of = (all: Float32Array, width: number) => all.slice(row * width, (row + counts[i]) * width);
      part.take(taken, isEnding, {
        count: counts[i],
        vectors: of(vectors, proj_output_dim),
        logits: of(logits, this.#captionEntries),
      });
      row += counts[i];
    }
  }

  /** The order of createAudioEncoder in native/cuda/bind-audio-encoder.cpp. */
  #sizes(): Int32Array {
    const { input_size, hidden_size, proj_size, nlayer, num_right_layers } = this.#network;
    const { left_order, right_order, left_stride, ndnn, proj_output_dim } = this.#network;
    const { slots, streams, rows } = this.#limits;
    return Int32Array.of(
      ...[input_size, hidden_size, proj_size, nlayer, num_right_layers, left_order, right_order],
      ...[left_stride, ndnn, proj_output_dim, this.#captionEntries, slots, streams, rows],
    );
  }
}
