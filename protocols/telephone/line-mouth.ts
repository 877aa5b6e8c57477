/** Another party's voice on a telephone line: what it says leaves at once, in the line's frames. */
import { opsOf } from '../../kernels/engine/index.ts';
import type { Timers } from '../guard/index.ts';
import {
  type LineEncoder,
  lineEncoder,
  SESSION_INPUT_RATE_HZ,
  SESSION_OUTPUT_RATE_HZ,
} from '../media/index.ts';
import type { PhoneLine } from './line.ts';

/** What the other line's jitter brings at once; more is left out, so that nobody talks late for good. */
const MOST_AHEAD_MS = 200;

export class LineMouth {
  readonly #line: PhoneLine;
  readonly #frameMs: number;
  readonly #clock: Timers;
  readonly #resampler = opsOf('auto').resampler(SESSION_INPUT_RATE_HZ, SESSION_OUTPUT_RATE_HZ);
  #encoder: LineEncoder;
  /** When what was given has been played. */
  #playEndMs = 0;

  constructor(line: PhoneLine, frameMs: number, clock: Timers) {
    this.#line = line;
    this.#frameMs = frameMs;
    this.#clock = clock;
    this.#encoder = lineEncoder(line.format, frameMs);
  }

  /** 16 kHz. */
  say(samples: Float32Array): void {
    for (const frame of this.#encoder.push(this.#resampler.push(samples))) {
      const nowMs = this.#clock.nowMs();
      const beginsAtMs = Math.max(this.#playEndMs, nowMs);
      if (beginsAtMs - nowMs > MOST_AHEAD_MS) continue;
      this.#playEndMs = beginsAtMs + this.#frameMs;
      this.#line.play(frame);
    }
  }

  /** `line.format` is another one. */
  reformat(): void {
    this.#encoder = lineEncoder(this.#line.format, this.#frameMs);
  }
}
