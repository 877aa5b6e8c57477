import type { Clock } from '../../actors/core/index.ts';
import type {
  LanguageModelAnswer,
  LanguageModelEngine,
  LanguageModelWork,
  SpecialTokens,
  StreamId,
} from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { judgementOf } from '../people/judgement.ts';
import { answerAfter } from './clock-answer.ts';
import type { LanguageModelLoad } from './cost-law.ts';
import type { Device } from './device.ts';
import type { ModelledEngineOptions } from './engine-options.ts';
import { ScriptedSequence } from './scripted-sequence.ts';

interface Stream {
  readonly sequence: ScriptedSequence;
  /** Positions whose cost was put off. */
  /** The newest vector of speech. */
  heard: number;
  owedPositions: number;
  isBroken: boolean;
  isClosed: boolean;
}

/**
 * Decoding and prefill on one device take turns; on two they run side by side, and the step, which the actor answers as a
 * whole, takes the longer of the two.
 */
export class ModelledLanguageModel implements LanguageModelEngine {
  readonly #tokens: SpecialTokens;
  readonly #options: ModelledEngineOptions;
  readonly #clock: Clock;
  readonly #decoding: Device;
  readonly #prefilling: Device;
  readonly #streams = new Map<StreamId, Stream>();
  #next = 1;

  constructor(tokens: SpecialTokens, options: ModelledEngineOptions, decoding: Device, prefilling: Device) {
    this.#tokens = tokens;
    this.#options = options;
    this.#clock = options.clock;
    this.#decoding = decoding;
    this.#prefilling = prefilling;
  }

  open(): StreamId {
    const { random, replies } = this.#options;
    const sequence = new ScriptedSequence(random.split(`sequence ${this.#next}`), replies);
    this.#streams.set(this.#next, { sequence, heard: 0, owedPositions: 0, isBroken: false, isClosed: false });
    this.#options.memory?.holds(this.#next, 0);
    return this.#next++;
  }

  close(sequence: StreamId): void {
    this.#options.memory?.closes(sequence);
    const stream = this.#streams.get(sequence);
    if (stream) stream.isClosed = true;
    this.#streams.delete(sequence);
  }

  truncate(sequence: StreamId, length: number): void {
    const stream = this.#streams.get(sequence);
    if (!stream) return;
    if (!stream.sequence.truncate(length)) stream.isBroken = true;
    this.#options.memory?.holds(sequence, stream.sequence.length);
  }

  step(batch: readonly LanguageModelWork[]): PromiseLike<(LanguageModelAnswer | null)[]> {
    const streams = batch.map(({ sequence }) => this.#streams.get(sequence));
    const broken = streams.findIndex(stream => stream?.isBroken);
    if (broken >= 0) return answerAfter(this.#clock, 0, () => brokenCache(batch[broken].sequence));
    const load = this.#load(batch, streams);
    const answers: (LanguageModelAnswer | null)[] = batch.map((work, i) => this.#answer(work, streams[i]));
    return answerAfter(this.#clock, this.#occupy(load, batch.length), () => {
      for (let i = 0; i < answers.length; i++) if (streams[i]?.isClosed) answers[i] = null;
      return answers;
    });
  }

  #answer(
    { positions, sample, sequence }: LanguageModelWork,
    stream: Stream | undefined,
  ): LanguageModelAnswer | null {
    if (!stream) return null;
    stream.sequence.append(positions);
    const newest = positions.features[positions.features.length - 1] ?? 0;
    if (newest > 0) stream.heard = newest;
    const { length } = stream.sequence;
    this.#options.memory?.holds(sequence, length);
    if (!sample) return { length };
    const sampled = stream.sequence.predict(sample.speech, this.#tokens);
    if (!sample.wantsWait) return { length, sampled };
    return { length, sampled: { ...sampled, waitProbability: judgementOf(stream.heard) } };
  }

  #load(batch: readonly LanguageModelWork[], streams: readonly (Stream | undefined)[]): LanguageModelLoad {
    let [decodes, decodeContext, prefillPositions, attended, begins] = [0, 0, 0, 0, 0];
    for (let i = 0; i < batch.length; i++) {
      const { positions, sample } = batch[i];
      const stream = streams[i];
      if (!stream) continue;
      const count = positions.textIds.length;
      if (sample && count === 1 && positions.rule === 'decode') {
        decodes += 1;
        decodeContext += stream.sequence.length;
      } else {
        const due = this.#due(stream, count, sample !== undefined);
        prefillPositions += due;
        attended += due * stream.sequence.length;
        if (sample) begins += 1;
      }
    }
    return {
      decodes,
      decodeContext,
      prefillPositions,
      prefillContext: prefillPositions > 0 ? attended / prefillPositions : 0,
      begins,
    };
  }

  /** Positions to be paid for now. */
  #due(stream: Stream, count: number, isWanted: boolean): number {
    if (this.#options.prefill === 'arriving') return count;
    stream.owedPositions += count;
    if (!isWanted) return 0;
    const due = stream.owedPositions;
    stream.owedPositions = 0;
    return due;
  }

  /** Milliseconds until the whole step is done. */
  #occupy(load: LanguageModelLoad, batch: number): number {
    const { decodeMs, prefillMs, transferMs } = this.#options.law.languageModel(load);
    if (this.#decoding === this.#prefilling) {
      return this.#decoding.occupy(decodeMs + prefillMs, stepLabel(load), batch);
    }
    const decoded = load.decodes > 0 ? this.#decoding.occupy(decodeMs, 'decode', load.decodes) : 0;
    const prefills = batch - load.decodes;
    const prefilled =
      prefillMs > 0 ? this.#prefilling.occupy(prefillMs, 'prefill', prefills) + transferMs : 0;
    return Math.max(decoded, prefilled);
  }
}

function brokenCache(sequence: StreamId): never {
  throw new RuntimeError('engine.failed', 'The cache was cut beyond its end.', { sequence });
}

function stepLabel({ decodes, prefillPositions }: LanguageModelLoad): string {
  if (prefillPositions === 0) return 'decode';
  return decodes === 0 ? 'prefill' : 'decode and prefill';
}
