/**
 * One call's Opus, both ways: a decoder and an encoder that live as long as its media, and what the far end wants of
 * ours.
 */
import {
  OPUS_SILENCE,
  type OpusDecoder,
  type OpusWishes,
  type TunableOpusEncoder,
  type TunableOpusLibrary,
} from './opus.ts';

/** A packet is sound by itself: no bytes a millisecond. `rateHz`: as the model hears it. */
export interface OpusFormat {
  readonly codec: 'opus';
  readonly rateHz: 16_000;
  readonly voice: OpusVoice;
}

const NO_SAMPLES = new Float32Array(0);

export class OpusVoice implements OpusDecoder {
  readonly format: OpusFormat = { codec: 'opus', rateHz: 16_000, voice: this };
  readonly #decoder: OpusDecoder;
  readonly #encoder: TunableOpusEncoder;
  /** The call is over; what comes and goes after it is silence. */
  #isFree = false;

  private constructor(decoder: OpusDecoder, encoder: TunableOpusEncoder) {
    this.#decoder = decoder;
    this.#encoder = encoder;
  }

  static async of(library: TunableOpusLibrary): Promise<OpusVoice> {
    return new OpusVoice(await library.decoder(), await library.encoder());
  }

  use(wishes: OpusWishes): void {
    if (!this.#isFree) this.#encoder.use(wishes);
  }

  /** 20 ms at 24 kHz. `isFirst`: silence was sent before it. */
  encode(samples: Float32Array, isFirst: boolean): Buffer {
    return this.#isFree ? OPUS_SILENCE : Buffer.from(this.#encoder.encode(samples, isFirst));
  }

  decode(packet: Buffer): Float32Array | null {
    return this.#isFree ? null : this.#decoder.decode(packet);
  }

  recover(next: Buffer, ms: number): Float32Array {
    return this.#isFree ? NO_SAMPLES : this.#decoder.recover(next, ms);
  }

  conceal(ms: number): Float32Array {
    return this.#isFree ? NO_SAMPLES : this.#decoder.conceal(ms);
  }

  free(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    this.#decoder.free();
    this.#encoder.free();
  }
}
