/**
 * Both voices of a call in one, for those who listen in on it (a supervisor): the caller's as decoded, the agent's as
 * it leaves, mixed every 20 ms and encoded once for all of them. While nobody listens it costs nothing.
 */
import type { Timers } from '../guard/index.ts';
import { OPUS_CLOCK_HZ, OPUS_FRAME_MS, type OpusEncoder, VoiceMix } from '../media/index.ts';
import type { VoiceOut } from './peer.ts';

const TICKS_PER_FRAME = (OPUS_CLOCK_HZ * OPUS_FRAME_MS) / 1000;

export class Overheard {
  readonly #clock: Timers;
  readonly #encoder: () => Promise<OpusEncoder>;
  readonly #ears = new Set<(packet: VoiceOut) => void>();
  #mix: { readonly voices: VoiceMix; readonly encoder: OpusEncoder } | null = null;
  #closed = false;

  constructor(clock: Timers, encoder: () => Promise<OpusEncoder>) {
    this.#clock = clock;
    this.#encoder = encoder;
  }

  /** From now on; the way out is what is returned. */
  async listen(ear: (packet: VoiceOut) => void): Promise<() => void> {
    const isFirst = this.#ears.size === 0;
    this.#ears.add(ear);
    if (isFirst) this.#begin(await this.#encoder());
    return () => {
      this.#ears.delete(ear);
      if (this.#ears.size === 0) this.#end();
    };
  }

  /** 16 kHz; not kept. */
  caller(samples: Float32Array): void {
    this.#mix?.voices.caller(samples);
  }

  /** 24 kHz; not kept. */
  agent(samples: Float32Array): void {
    this.#mix?.voices.agent(samples);
  }

  close(): void {
    this.#closed = true;
    this.#end();
    this.#ears.clear();
  }

  #begin(encoder: OpusEncoder): void {
    // Meanwhile all may have gone, and others come.
    if (this.#closed || this.#mix) encoder.free();
    else this.#mix = { encoder, voices: new VoiceMix(this.#clock, (frame, n) => this.#encoded(frame, n)) };
  }

  #encoded(frame: Float32Array, n: number): void {
    const payload = Buffer.from(this.#mix!.encoder.encode(frame));
    const packet = { payload, timestamp: (n * TICKS_PER_FRAME) >>> 0, marker: n === 0 };
    for (const ear of this.#ears) ear(packet);
  }

  #end(): void {
    this.#mix?.voices.stop();
    this.#mix?.encoder.free();
    this.#mix = null;
  }
}
