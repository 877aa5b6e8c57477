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
import { answerAfter, beginsAfter } from './clock-answer.ts';
import type { LanguageModelLoad } from './cost-law.ts';
import type { Device } from './device.ts';
import type { ModelledEngineOptions } from './engine-options.ts';
import { hostAway, refusalMs, streamLost } from './outages.ts';
import { ScriptedSequence } from './scripted-sequence.ts';

interface Stream {
  readonly sequence: ScriptedSequence;
  readonly openedMs: number;
  /** The newest vector of speech. */
  heard: number;
  /** Positions whose cost was put off. */
  owedPositions: number;
  isBroken: boolean;
  isClosed: boolean;
}

/**
 * Decoding and prefill on one device take turns; on two they run side by side, and the step, which the actor answers as
 * a whole, takes the longer of the two.
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
    this.#streams.set(this.#next, {
      sequence,
      openedMs: this.#clock.nowMs(),
      heard: 0,
      owedPositions: 0,
      isBroken: false,
      isClosed: false,
    });
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
    const nowMs = this.#clock.nowMs();
    const outage = this.#options.outages.latest(nowMs);
    if (!outage) return this.#work(batch);
    // Streams are named by the newest host only: those from before it went are unknown to it.
    const isLost = batch.some(({ sequence }) => this.#bornMs(sequence) < outage.fromMs);
    if (isLost) return answerAfter(this.#clock, 0, streamLost);
    if (nowMs >= outage.untilMs) return this.#work(batch);
    const refusedMs = refusalMs(outage);
    if (outage.untilMs <= refusedMs)
      return beginsAfter(this.#clock, outage.untilMs - nowMs, () => this.#work(batch));
    return answerAfter(this.#clock, Math.max(0, refusedMs - nowMs), hostAway);
  }

  #bornMs(sequence: StreamId): number {
    return this.#streams.get(sequence)?.openedMs ?? Number.POSITIVE_INFINITY;
  }

  #work(batch: readonly LanguageModelWork[]): PromiseLike<(LanguageModelAnswer | null)[]> {
    const streams = batch.map(({ sequence }) => this.#streams.get(sequence));
    const broken = streams.findIndex(stream => stream?.isBroken);
    if (broken >= 0) return answerAfter(this.#clock, 0, () => brokenCache(batch[broken].sequence));
    const load = this.#load(batch, streams);
    const answers: (LanguageModelAnswer | null)[] = batch.map((work, i) => this.#answer(work, streams[i]));
    const doneMs = this.#occupy(load, batch.length);
    const nowMs = this.#clock.nowMs();
    const awayMs = this.#options.outages.nextMs(nowMs) - nowMs;
    if (awayMs < doneMs) return answerAfter(this.#clock, awayMs, streamLost);
    return answerAfter(this.#clock, doneMs, () => {
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
