import { RuntimeError } from '../../errors.ts';
import type { UtteranceStream } from './encoded-audio.ts';
import type { FeatureStream, Features } from './feature-stream.ts';

/** Places of the device for the state of utterances. */
export interface EncoderSlots {
  /** @throws RuntimeError `audio-encoder.full` */
  take(): number;
  giveBack(slot: number): void;
  copy(from: number, to: number): void;
}

/** An utterance whose layers' state lies on a device. */
export class DeviceUtterance implements UtteranceStream {
  readonly #slots: EncoderSlots;
  readonly #features: FeatureStream;
  readonly slot: number;
  /** Vectors that every layer has had, as far as it holds them back. */
  readonly seen: Int32Array;
  #isFinished = false;
  #isClosed = false;

  constructor(slots: EncoderSlots, slot: number, features: FeatureStream, seen: Int32Array) {
    this.#slots = slots;
    this.slot = slot;
    this.#features = features;
    this.seen = seen;
  }

  fork(): DeviceUtterance {
    const slot = this.#slots.take();
    this.#slots.copy(this.slot, slot);
    const copy = new DeviceUtterance(this.#slots, slot, this.#features.fork(), this.seen.slice());
    copy.#isFinished = this.#isFinished;
    return copy;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isFinished = true;
    this.#slots.giveBack(this.slot);
  }

  /** @throws RuntimeError `audio-encoder.finished` */
  expectOpen(): void {
    if (!this.#isFinished) return;
    throw new RuntimeError('audio-encoder.finished', 'The utterance is finished.', {}, 'Open a new stream.');
  }

  hear(samples: Float32Array, end: boolean): Features {
    this.#isFinished = end;
    return this.#features.push(samples, end);
  }
}

interface Given {
  readonly count: number;
  readonly vectors: Float32Array;
  readonly logits: Float32Array;
}

/** One utterance's part of a step, as far as it has come. */
export class DeviceEncoderPart {
  readonly stream: DeviceUtterance;
  readonly #features: Features;
  readonly #given: Given[] = [];
  #ends: boolean;
  #taken = 0;

  constructor(stream: DeviceUtterance, features: Features, ends: boolean) {
    this.stream = stream;
    this.#features = features;
    this.#ends = ends;
  }

  /** Vectors that have not gone yet. */
  get left(): number {
    return this.#features.count - this.#taken;
  }

  get isWaiting(): boolean {
    return this.left > 0 || this.#ends;
  }

  get count(): number {
    return this.#given.reduce((sum, { count }) => sum + count, 0);
  }

  /** Whether so many more are its last. */
  endsWith(rows: number): boolean {
    return this.#ends && rows === this.left;
  }

  vectorsOf(rows: number, width: number): Float32Array {
    return this.#features.spliced.subarray(this.#taken * width, (this.#taken + rows) * width);
  }

  take(rows: number, isEnding: boolean, given: Given): void {
    this.#taken += rows;
    if (isEnding) this.#ends = false;
    this.#given.push(given);
  }

  joined(of: 'vectors' | 'logits'): Float32Array {
    if (this.#given.length === 1) return this.#given[0][of];
    const all = new Float32Array(this.#given.reduce((sum, given) => sum + given[of].length, 0));
    let at = 0;
    for (const given of this.#given) {
      all.set(given[of], at);
      at += given[of].length;
    }
    return all;
  }
}
