/**
 * Both voices of a call in one, for those who listen in on it (a supervisor): the caller's as decoded, the agent's as
 * it leaves, mixed every 20 ms and encoded once for all of them. While nobody listens it costs nothing.
 */
import type { Timer } from '../../actors/core/clock.ts';
import { opsOf } from '../../kernels/engine/index.ts';
import type { Timers } from '../guard/index.ts';
import {
  OPUS_CLOCK_HZ,
  OPUS_FRAME_MS,
  SESSION_INPUT_RATE_HZ,
  SESSION_OUTPUT_RATE_HZ,
} from '../media/index.ts';
import type { OpusEncoder } from '../media/index.ts';
import type { VoiceOut } from './peer.ts';

const FRAME_SAMPLES = (SESSION_OUTPUT_RATE_HZ * OPUS_FRAME_MS) / 1000;
const TICKS_PER_FRAME = (OPUS_CLOCK_HZ * OPUS_FRAME_MS) / 1000;
/** A voice is held back so far when it begins, so that its packets may be late, */
const LEAD_SAMPLES = 2 * FRAME_SAMPLES;
/** and what is more than this behind is left out. */
const MAX_SAMPLES = (SESSION_OUTPUT_RATE_HZ * 400) / 1000;

export class Overheard {
  readonly #clock: Timers;
  readonly #encoder: () => Promise<OpusEncoder>;
  readonly #ears = new Set<(packet: VoiceOut) => void>();
  #mix: Mix | null = null;
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
    this.#mix?.caller(samples);
  }

  /** 24 kHz; not kept. */
  agent(samples: Float32Array): void {
    this.#mix?.agent(samples);
  }

  close(): void {
    this.#closed = true;
    this.#end();
    this.#ears.clear();
  }

  #begin(encoder: OpusEncoder): void {
    // Meanwhile all may have gone, and others come.
    if (this.#closed || this.#mix) encoder.free();
    else this.#mix = new Mix(this.#clock, encoder, packet => this.#tell(packet));
  }

  #tell(packet: VoiceOut): void {
    for (const ear of this.#ears) ear(packet);
  }

  #end(): void {
    this.#mix?.stop();
    this.#mix = null;
  }
}

class Mix {
  readonly #clock: Timers;
  readonly #encoder: OpusEncoder;
  readonly #send: (packet: VoiceOut) => void;
  readonly #resampler = opsOf('auto').resampler(SESSION_INPUT_RATE_HZ, SESSION_OUTPUT_RATE_HZ);
  readonly #caller = new Queue();
  readonly #agent = new Queue();
  readonly #startMs: number;
  readonly #frame = new Float32Array(FRAME_SAMPLES);
  #frames = 0;
  #timer: Timer;

  constructor(clock: Timers, encoder: OpusEncoder, send: (packet: VoiceOut) => void) {
    this.#clock = clock;
    this.#encoder = encoder;
    this.#send = send;
    this.#startMs = clock.nowMs();
    this.#timer = clock.setTimer(OPUS_FRAME_MS, () => this.#tick());
  }

  caller(samples: Float32Array): void {
    this.#caller.push(this.#resampler.push(samples));
  }

  agent(samples: Float32Array): void {
    this.#agent.push(samples.slice());
  }

  stop(): void {
    this.#timer.cancel();
    this.#encoder.free();
  }

  /** All frames that are due: a late timer makes none of them late for good. */
  #tick(): void {
    const due = Math.floor((this.#clock.nowMs() - this.#startMs) / OPUS_FRAME_MS);
    while (this.#frames < due) {
      this.#frame.fill(0);
      this.#caller.addTo(this.#frame);
      this.#agent.addTo(this.#frame);
      for (let i = 0; i < FRAME_SAMPLES; i++) this.#frame[i] = Math.max(-1, Math.min(1, this.#frame[i]));
      const payload = Buffer.from(this.#encoder.encode(this.#frame));
      const timestamp = (this.#frames * TICKS_PER_FRAME) >>> 0;
      this.#send({ payload, timestamp, marker: this.#frames === 0 });
      this.#frames += 1;
    }
    const nextMs = this.#startMs + (this.#frames + 1) * OPUS_FRAME_MS;
    this.#timer = this.#clock.setTimer(Math.max(0, nextMs - this.#clock.nowMs()), () => this.#tick());
  }
}

/** One voice, between how it comes and the mix's pace. */
class Queue {
  readonly #parts: Float32Array[] = [];
  #length = 0;
  /** Of the first part, what is taken. */
  #taken = 0;
  #isFlowing = false;

  push(samples: Float32Array): void {
    this.#parts.push(samples);
    this.#length += samples.length;
    while (this.#length > MAX_SAMPLES) this.#drop();
  }

  /** Its next frame, or as much of it as there is. */
  addTo(frame: Float32Array): void {
    if (!this.#isFlowing && this.#length < LEAD_SAMPLES) return;
    this.#isFlowing = true;
    let at = 0;
    while (at < frame.length && this.#parts.length > 0) {
      const [part] = this.#parts;
      const count = Math.min(frame.length - at, part.length - this.#taken);
      for (let i = 0; i < count; i++) frame[at + i] += part[this.#taken + i];
      at += count;
      this.#taken += count;
      this.#length -= count;
      if (this.#taken === part.length) this.#drop();
    }
    this.#isFlowing = this.#length > 0;
  }

  #drop(): void {
    this.#length -= this.#parts.shift()!.length - this.#taken;
    this.#taken = 0;
  }
}
