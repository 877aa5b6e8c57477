import { join } from 'node:path';
import type { CudaComponentHandle } from '../../native/cuda/addon.ts';
import type { CudaDevice } from '../../native/cuda/device.ts';
import { openWeightFile } from '../../weights/index.ts';
import type { GanDecoderConfig } from '../codec-config.ts';
import { DeviceSlots } from '../device-slots.ts';
import { bytesOfTensors, loadTensors } from '../device-tensors.ts';
import { joinRows } from '../rows.ts';
import { checkCodes } from './check-codes.ts';
import { type DecoderWork, type GanDecoderStream, LOOKAHEAD_FRAMES } from './decoder-parts.ts';
import { deviceTensors } from './device-weights.ts';
import type { GanDecoder } from './gan-decoder.ts';

export interface DeviceDecoderOptions {
  /** Streams whose state the device has room for. */
  readonly streams?: number;
  /** Frames that go through the layers at once, of all streams and of one; more go in several passes. Same bits. */
  readonly frames?: number;
  readonly streamFrames?: number;
}

const DEFAULTS = { streams: 512, frames: 256, streamFrames: 16 };
const NOTHING = new Int32Array(0);

/**
 * The streaming decoder on a device, with the meaning of `GanDecoder`: weights, the state of all streams and workspace
 * are planned when it is loaded, codes go there and samples come back. A stream's samples have the same bits whatever
 * else is in its batch and however its frames are cut.
 */
export class DeviceGanDecoder implements GanDecoder {
  readonly codebooks: number;
  readonly semanticEntries: number;
  readonly acousticEntries: number;
  readonly samplesPerFrame: number;
  readonly lookAheadFrames = LOOKAHEAD_FRAMES;
  /** Weights, state and workspace together. */
  readonly deviceBytes: number;
  readonly #device: CudaDevice;
  readonly #decoder: CudaComponentHandle;
  readonly #limits: Required<DeviceDecoderOptions>;
  readonly #slots: DeviceSlots;

  /** @throws RuntimeError `weights.*` | `cuda.*` */
  constructor(
    directory: string,
    config: GanDecoderConfig,
    device: CudaDevice,
    options: DeviceDecoderOptions = {},
  ) {
    const limits = { ...DEFAULTS, ...options };
    const { codec_codebooks: stages, codec_codebook_size: size } = config;
    this.codebooks = 1 + stages;
    this.semanticEntries = config.semantic_token_nums;
    this.acousticEntries = size ** 2;
    this.samplesPerFrame = config.codec_dec_ratios.reduce((product, stride) => product * stride, 1);
    this.#device = device;
    this.#limits = limits;
    this.#slots = new DeviceSlots('gan-decoder', limits.streams);
    const sizes = Int32Array.of(
      ...[stages, size, config.semantic_token_nums, config.semantic_dim, config.codec_dimension],
      ...[config.decoder_dim, limits.streams, limits.frames, limits.streamFrames, ...config.codec_dec_ratios],
    );
    const weights = openWeightFile(join(directory, 'audio_codec', config.ckpt_path));
    try {
      const bytes = bytesOfTensors(deviceTensors(weights, config));
      this.#decoder = device.guard('planning the memory of a decoder', () =>
        device.addon.createGanDecoder(sizes, bytes),
      );
      this.deviceBytes = loadTensors(device, this.#decoder, deviceTensors(weights, config));
    } finally {
      weights.close();
    }
  }

  /** @throws RuntimeError `gan-decoder.full` */
  createStream(): GanDecoderStream {
    const slot = this.#slots.take();
    this.#device.guard('a new stream', () => this.#device.addon.clearGanDecoder(this.#decoder, slot));
    return new DeviceStream(this, slot, () => this.#slots.giveBack(slot));
  }

  decode(works: readonly DecoderWork[]): Float32Array[] {
    const own = works as readonly (DecoderWork & { readonly stream: DeviceStream })[];
    for (const { stream, codes } of own) checkCodes(this, codes, stream.isFinished);
    const parts = own.map(({ stream, codes }) => new Part(stream, codes, codes.length / this.codebooks));
    this.#inPasses(parts, false);
    const ending = own.flatMap(({ finish }, i) => (finish ? [parts[i]] : []));
    for (const part of ending) part.beginEnding();
    this.#inPasses(ending, true);
    return parts.map(({ samples }) => samples);
  }

  /** Those with more frames go first; whoever does not fit waits for the next pass. */
  #inPasses(parts: readonly Part[], isEnding: boolean): void {
    for (;;) {
      const waiting = parts.filter(({ left }) => left > 0).toSorted((a, b) => b.left - a.left);
      if (waiting.length === 0) return;
      let room = this.#limits.frames;
      const going = waiting.flatMap(part => {
        const frames = Math.min(part.left, this.#limits.streamFrames);
        if (frames > room) return [];
        room -= frames;
        return [{ part, frames }];
      });
      this.#pass(going, isEnding);
    }
  }

  #pass(going: readonly { readonly part: Part; readonly frames: number }[], isEnding: boolean): void {
    const skipped = going.map(({ part, frames }) => part.skippedOf(frames));
    const complete = going.map(({ frames }, i) => frames - skipped[i]);
    const samples = new Float32Array(complete.reduce((sum, count) => sum + count, 0) * this.samplesPerFrame);
    const codes = isEnding
      ? NOTHING
      : Int32Array.from(going.flatMap(({ part, frames }) => [...part.codesOf(frames, this.codebooks)]));
    const [slots, frames] = [going.map(({ part }) => part.stream.slot), going.map(item => item.frames)];
    this.#device.guard('a pass of the decoder', () =>
      this.#device.addon.stepGanDecoder(
        ...([this.#decoder, Int32Array.from(slots), Int32Array.from(frames)] as const),
        ...([Int32Array.from(skipped), codes, samples] as const),
      ),
    );
    let at = 0;
    for (const [i, { part, frames: taken }] of going.entries()) {
      const count = complete[i] * this.samplesPerFrame;
      part.take(taken, samples.subarray(at, at + count));
      at += count;
    }
  }
}

class DeviceStream implements GanDecoderStream {
  readonly slot: number;
  readonly #decoder: DeviceGanDecoder;
  readonly #release: () => void;
  /** Frames that it was given, no more than the look-ahead are counted. */
  seen = 0;
  isFinished = false;
  #isClosed = false;

  constructor(decoder: DeviceGanDecoder, slot: number, release: () => void) {
    this.#decoder = decoder;
    this.slot = slot;
    this.#release = release;
  }

  push(codes: Int32Array): Float32Array {
    return this.#decoder.decode([{ stream: this, codes, finish: false }])[0];
  }

  finish(): Float32Array {
    return this.#decoder.decode([{ stream: this, codes: NOTHING, finish: true }])[0];
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.isFinished = true;
    this.#release();
  }
}

/** One stream's part of a step, as far as it has come. */
class Part {
  readonly stream: DeviceStream;
  readonly #codes: Int32Array;
  left: number;
  samples: Float32Array = new Float32Array(0);
  #taken = 0;

  constructor(stream: DeviceStream, codes: Int32Array, frames: number) {
    this.stream = stream;
    this.#codes = codes;
    this.left = frames;
  }

  beginEnding(): void {
    this.stream.isFinished = true;
    this.left = LOOKAHEAD_FRAMES;
  }

  /** A stream's first frames complete none. */
  skippedOf(frames: number): number {
    return Math.min(frames, LOOKAHEAD_FRAMES - this.stream.seen);
  }

  codesOf(frames: number, codebooks: number): Int32Array {
    return this.#codes.subarray(this.#taken * codebooks, (this.#taken + frames) * codebooks);
  }

  take(frames: number, samples: Float32Array): void {
    this.#taken += frames;
    this.left -= frames;
    this.stream.seen = Math.min(LOOKAHEAD_FRAMES, this.stream.seen + frames);
    this.samples = joinRows(this.samples, samples);
  }
}
