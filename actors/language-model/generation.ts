import {
  advanceGeneration,
  type GenerationState,
  startGeneration,
} from '../../kernels/components/language-model/index.ts';
import { ABSENT, CODEBOOKS, type SamplingRequest, type SpecialTokens } from '../../kernels/engine/index.ts';
import type { Address } from '../core/message.ts';
import type { Random } from '../core/random.ts';
import type { Codes, Step } from './context.ts';
import type { GenerateCommand, GenerationOptions, ReplyState } from './messages.ts';
import type { TextDelta } from './text-delta.ts';

/** Entries of a head's past that its penalty looks at (spec §1.8). */
const HISTORY = 30;
/** A code frame of speech: the pace at which steps are needed. */
const STEP_MS = 60;

/** One running reply: sampling histories, the state machine, the text; nothing of the cache. */
export class Generation {
  readonly address: Address;
  readonly generationId: string;
  readonly itemId: string;
  readonly options: GenerationOptions;
  readonly text: TextDelta;
  readonly #random: Random;
  readonly #tokens: SpecialTokens;
  #state: GenerationState;
  readonly #startedAtMs: number;
  readonly #textHistory = new RecentIds();
  readonly #codeHistories = [new RecentIds(), new RecentIds(), new RecentIds(), new RecentIds()] as const;
  #draw: number;
  steps = 0;
  textSteps = 0;

  constructor(
    address: Address,
    command: GenerateCommand,
    random: Random,
    text: TextDelta,
    tokens: SpecialTokens,
    startedAtMs: number,
  ) {
    this.address = address;
    this.generationId = command.generationId;
    this.itemId = command.itemId;
    this.options = command.options;
    this.text = text;
    this.#random = random;
    this.#tokens = tokens;
    this.#state = startGeneration(command.options.speech ? 'speech' : 'text');
    this.#startedAtMs = startedAtMs;
    this.#draw = random.next();
  }

  /** When the next step is due if the reply is to be heard without a gap. */
  get deadlineMs(): number {
    return this.#startedAtMs + this.steps * STEP_MS;
  }

  /** The request for the next step; the same until `accept`, so that a repeated step repeats its draw. */
  request(): SamplingRequest {
    const { temperature, topK, topP, repetitionPenalty, speech } = this.options;
    const [first, second, third, fourth] = this.#codeHistories;
    return {
      textHistory: this.#textHistory.copy(),
      codeHistories: [first.copy(), second.copy(), third.copy(), fourth.copy()],
      temperature,
      topK,
      topP,
      repetitionPenalty,
      draw: this.#draw,
      wantsWait: this.steps === 0 && this.#tokens.wait !== null,
      speech,
    };
  }

  accept(textId: number, codes: Codes): { readonly step: Step; readonly state: ReplyState } {
    const { state, record } = advanceGeneration(this.#state, { text: textId, codes }, this.#tokens);
    const step: Step = { textId: record.text, codes: record.codes };
    this.#state = state;
    this.#draw = this.#random.next();
    this.#textHistory.push(step.textId);
    for (let head = 0; head < CODEBOOKS; head++) this.#codeHistories[head].push(step.codes[head]);
    this.steps++;
    if (step.textId !== ABSENT) this.textSteps++;
    return { step, state: REPLY_STATES[state.phase] };
  }
}

/** The newest ids of one head, newest last. */
class RecentIds {
  readonly #ids = new Int32Array(HISTORY);
  #count = 0;

  push(id: number): void {
    if (this.#count === HISTORY) this.#ids.copyWithin(0, 1);
    else this.#count++;
    this.#ids[this.#count - 1] = id;
  }

  copy(): Int32Array {
    return this.#ids.slice(0, this.#count);
  }
}

const REPLY_STATES: Readonly<Record<GenerationState['phase'], ReplyState>> = {
  dense: 'text-and-audio',
  speech: 'audio-only',
  text: 'text-only',
  ended: 'end',
};
