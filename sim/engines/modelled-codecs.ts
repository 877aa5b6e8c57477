import type { Clock } from '../../actors/core/index.ts';
import type {
  AudioEncoderAnswer,
  AudioEncoderEngine,
  AudioEncoderWork,
  GanDecoderAnswer,
  GanDecoderEngine,
  GanDecoderWork,
  ModelDescription,
  StreamId,
} from '../../kernels/engine/index.ts';
import { SPEECH, uniform } from '../people/voice.ts';
import { answerAfter } from './clock-answer.ts';
import type { CostLaw } from './cost-law.ts';
import type { Device } from './device.ts';

/** docs/spec/latency-data.md §2.2: six layers look one frame ahead. */
const AUDIO_LOOKAHEAD_VECTORS = 6;
/** What a modelled voice sounds like: a constant. */
const SPOKEN = 0.1;

/** One vector per 80 ms, six behind, flushed at the end. */
export class ModelledAudioEncoder implements AudioEncoderEngine {
  readonly #clock: Clock;
  readonly #law: CostLaw;
  readonly #device: Device;
  readonly #vectorMs: number;
  /** Milliseconds of audio in each stream. */
  readonly #heard = new Map<StreamId, number>();
  /** The newest speech in each stream: what its words tell goes into the vectors. */
  readonly #spoken = new Map<StreamId, number>();
  #next = 1;

  constructor(clock: Clock, law: CostLaw, device: Device, vectorMs: number) {
    this.#clock = clock;
    this.#law = law;
    this.#device = device;
    this.#vectorMs = vectorMs;
  }

  open(): StreamId {
    this.#heard.set(this.#next, 0);
    return this.#next++;
  }

  close(stream: StreamId): void {
    this.#heard.delete(stream);
    this.#spoken.delete(stream);
  }

  fork(stream: StreamId): StreamId {
    this.#heard.set(this.#next, this.#heard.get(stream) ?? 0);
    this.#spoken.set(this.#next, this.#spoken.get(stream) ?? 0);
    return this.#next++;
  }

  step(batch: readonly AudioEncoderWork[]): PromiseLike<(AudioEncoderAnswer | null)[]> {
    const answers = batch.map(({ stream, samples, finish }) => {
      const before = this.#heard.get(stream) ?? 0;
      const after = before + samples.length;
      if (this.#heard.has(stream)) this.#heard.set(stream, after);
      const count = this.#vectors(after, finish) - this.#vectors(before, false);
      const spoken = lastSpeech(samples) ?? this.#spoken.get(stream) ?? 0;
      this.#spoken.set(stream, spoken);
      return { vectors: new Float32Array(count).fill(spoken), count };
    });
    const audioMs = batch.reduce((sum, { samples }) => sum + samples.length, 0);
    const costMs = this.#law.audioEncoderMs(batch.length, audioMs);
    const doneMs = this.#device.occupy(costMs, 'audio encoding', batch.length);
    return answerAfter(this.#clock, doneMs, () =>
      answers.map((answer, i) => (this.#heard.has(batch[i].stream) ? answer : null)),
    );
  }

  #vectors(audioMs: number, isFinished: boolean): number {
    const vectors = Math.floor(audioMs / this.#vectorMs);
    return isFinished ? vectors : Math.max(0, vectors - AUDIO_LOOKAHEAD_VECTORS);
  }
}

function lastSpeech(samples: Float32Array): number | null {
  for (let i = samples.length - 1; i >= 0; i--) if (samples[i] >= SPEECH) return samples[i];
  return null;
}

/** A constant level for each code frame, as many behind as the decoder looks ahead. */
export class ModelledGanDecoder implements GanDecoderEngine {
  readonly #clock: Clock;
  readonly #law: CostLaw;
  readonly #device: Device;
  readonly #model: ModelDescription;
  /** Code frames that wait for their look-ahead. */
  readonly #waiting = new Map<StreamId, number>();
  #next = 1;

  constructor(clock: Clock, law: CostLaw, device: Device, model: ModelDescription) {
    this.#clock = clock;
    this.#law = law;
    this.#device = device;
    this.#model = model;
  }

  open(): StreamId {
    this.#waiting.set(this.#next, 0);
    return this.#next++;
  }

  close(stream: StreamId): void {
    this.#waiting.delete(stream);
  }

  step(batch: readonly GanDecoderWork[]): PromiseLike<(GanDecoderAnswer | null)[]> {
    const { samplesPerCodeFrame, decoderLookaheadFrames } = this.#model;
    const ready = batch.map(({ stream, codes, finish }) => {
      const waiting = (this.#waiting.get(stream) ?? 0) + codes.length / 4;
      const frames = finish ? waiting : Math.max(0, waiting - decoderLookaheadFrames);
      if (this.#waiting.has(stream)) this.#waiting.set(stream, waiting - frames);
      return frames;
    });
    const frames = batch.reduce((sum, { codes }) => sum + codes.length / 4, 0);
    const costMs = this.#law.ganDecoderMs(batch.length, frames);
    const doneMs = this.#device.occupy(costMs, 'vocoder', batch.length);
    return answerAfter(this.#clock, doneMs, () =>
      batch.map(({ stream }, i) =>
        this.#waiting.has(stream) ? { samples: uniform(SPOKEN, ready[i] * samplesPerCodeFrame) } : null,
      ),
    );
  }
}
