import {
  type GenerationState,
  recordCandidate,
  startGeneration,
} from '../../kernels/components/language-model/index.ts';
import { ABSENT, CODEBOOKS, type SamplingRequest, type SpecialTokens } from '../../kernels/engine/index.ts';
import { traceparentOf } from '../../kernels/trace-context.ts';
import type { Address } from '../core/message.ts';
import type { Random } from '../core/random.ts';
import type { Codes, Step } from './closing.ts';
import type { GenerateCommand, GenerationOptions, ReplyInput, ReplyState } from './messages.ts';
import type { TextDelta } from './text-delta.ts';

/** Entries of a head's past that its penalty looks at (docs/spec/model.md §1.8). */
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
  readonly traceparent: string;
  readonly #random: Random;
  readonly #tokens: SpecialTokens;
  readonly #callBegin: number | null;
  #state: GenerationState;
  readonly #startedAtMs: number;
  readonly #histories = new Histories();
  #draw: number;
  steps = 0;
  textSteps = 0;
  /** Set once it is in the context. */
  input: ReplyInput | null = null;

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
    this.traceparent = traceparentOf(address.session, address.turn);
    this.#random = random;
    const { callBegin = null, speech, startsInCall } = command.options;
    this.#tokens = tokens;
    this.#callBegin = callBegin;
    this.#state = startGeneration(startsInCall ? 'call' : speech ? 'speech' : 'text');
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
    return {
      textHistory: this.#histories.text,
      codeHistories: this.#histories.codes,
      temperature,
      topK,
      topP,
      repetitionPenalty,
      draw: this.#draw,
      wantsWait: this.steps === 0 && this.#tokens.wait !== null,
      speech,
    };
  }

  accept(
    textId: number,
    codes: Codes,
  ): { readonly step: Step; readonly state: ReplyState; readonly isCall: boolean } {
    const { eos, pause, toolTags } = this.#tokens;
    const tokens = { eos, pause, callBegin: this.#callBegin, ...(toolTags && { inCalls: toolTags }) };
    const { state, record } = recordCandidate(this.#state, { text: textId, codes }, tokens);
    const step: Step = { textId: record.text, codes: record.codes };
    const isCall = this.#state.phase === 'call' || state.phase === 'call';
    this.#state = state;
    this.#draw = this.#random.next();
    this.#histories.push(step);
    this.steps++;
    if (step.textId !== ABSENT) this.textSteps++;
    return { step, state: REPLY_STATES[state.phase], isCall };
  }
}

/**
 * The newest ids of the text head and of each codebook, newest last, absent ones first; one block, because an array of
 * its own costs more.
 */
class Histories {
  readonly #ids = new Int32Array((1 + CODEBOOKS) * HISTORY).fill(ABSENT);
  /** Not copies: they change with the next `push`, which comes after the step that they are for was answered. */
  readonly text = this.#of(0);
  readonly codes = [this.#of(1), this.#of(2), this.#of(3), this.#of(4)] as const;

  push({ textId, codes }: Step): void {
    const ids = this.#ids;
    ids.copyWithin(0, 1);
    ids[HISTORY - 1] = textId;
    for (let head = 0; head < CODEBOOKS; head++) ids[(head + 2) * HISTORY - 1] = codes[head];
  }

  #of(head: number): Int32Array {
    return this.#ids.subarray(head * HISTORY, (head + 1) * HISTORY);
  }
}

const REPLY_STATES: Readonly<Record<GenerationState['phase'], ReplyState>> = {
  dense: 'text-and-audio',
  speech: 'audio-only',
  text: 'text-only',
  call: 'call',
  ended: 'end',
};
