/** Both voices of a conversation in one, every 20 ms, for whoever listens in on it. */
import type { Clock, Timer } from '../../actors/core/clock.ts';
import { opsOf } from '../../kernels/engine/index.ts';
import { SESSION_INPUT_RATE_HZ, SESSION_OUTPUT_RATE_HZ } from './streams.ts';

const FRAME_MS = 20;
const FRAME_SAMPLES = (SESSION_OUTPUT_RATE_HZ * FRAME_MS) / 1000;
/** A voice is held back so far when it begins, so that its packets may be late, */
const LEAD_SAMPLES = 2 * FRAME_SAMPLES;
/** and what is more than this behind is left out. */
const MAX_SAMPLES = (SESSION_OUTPUT_RATE_HZ * 400) / 1000;

export class VoiceMix {
  readonly #clock: Pick<Clock, 'nowMs' | 'setTimer'>;
  readonly #onFrame: (frame: Float32Array, n: number) => void;
  readonly #resampler = opsOf('auto').resampler(SESSION_INPUT_RATE_HZ, SESSION_OUTPUT_RATE_HZ);
  readonly #caller = new VoiceQueue();
  readonly #agent = new VoiceQueue();
  readonly #startMs: number;
  readonly #frame = new Float32Array(FRAME_SAMPLES);
  #frames = 0;
  #timer: Timer;

  /** `onFrame`: 24 kHz, only lent; their number rises by one. */
  constructor(clock: Pick<Clock, 'nowMs' | 'setTimer'>, onFrame: (frame: Float32Array, n: number) => void) {
    this.#clock = clock;
    this.#onFrame = onFrame;
    this.#startMs = clock.nowMs();
    this.#timer = clock.setTimer(FRAME_MS, () => this.#tick());
  }

  /** 16 kHz; not kept. */
  caller(samples: Float32Array): void {
    this.#caller.push(this.#resampler.push(samples));
  }

  /** 24 kHz; not kept. */
  agent(samples: Float32Array): void {
    this.#agent.push(samples.slice());
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** All frames that are due: a late timer makes none of them late for good. */
  #tick(): void {
    const due = Math.floor((this.#clock.nowMs() - this.#startMs) / FRAME_MS);
    const nextMs = this.#startMs + (due + 1) * FRAME_MS;
    this.#timer = this.#clock.setTimer(Math.max(0, nextMs - this.#clock.nowMs()), () => this.#tick());
    while (this.#frames < due) {
      this.#frame.fill(0);
      this.#caller.addTo(this.#frame);
      this.#agent.addTo(this.#frame);
      for (let i = 0; i < FRAME_SAMPLES; i++) this.#frame[i] = Math.max(-1, Math.min(1, this.#frame[i]));
      this.#onFrame(this.#frame, this.#frames++);
    }
  }
}

/** One voice, between how it comes and the mix's pace. */
class VoiceQueue {
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
