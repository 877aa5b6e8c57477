import { normal, type Random } from '../../actors/core/index.ts';
import {
  CODE_END,
  CODE_OFFSET,
  CODE_PAD,
  type SpecialTokens,
  type Tokenizer,
} from '../../kernels/engine/index.ts';
import { CALL_BEGIN, type CallLaw, callStep, callText, isCallBegin } from './call-script.ts';

/** How long replies are; lognormal. */
export interface ReplyLaw {
  readonly medianS: number;
  readonly sigma: number;
  /** Longer replies end there. */
  readonly maxS: number;
  /** Speech of one step. */
  readonly codeFrameMs: number;
  /** Null: it calls no tools. */
  readonly calls: CallLaw | null;
}

export type Codes = readonly [number, number, number, number];

/** One spoken sentence: its words, a full stop, and the code frames it lasts (docs/spec/model.md §1.7). */
interface Sentence {
  readonly words: number;
  readonly frames: number;
}

/** What one reply says, step by step, before the state machine of docs/spec/model.md §1.9. */
export interface ReplyScript {
  readonly sentences: readonly Sentence[];
  /** Tokens of the tool call that it ends with; 0 = it calls none. */
  readonly callTokens: number;
}

const WORD = 1000;
const FULL_STOP = 1001;
const HEADER = 1002;
/** Speech at 3 words a second. */
const WORD_S = 1 / 3;
const WORDS_PER_SENTENCE = 8;
const CHARACTERS_PER_TOKEN = 4;
const VOICE: Codes = [CODE_OFFSET, CODE_OFFSET, CODE_OFFSET, CODE_OFFSET];
/** The last step of a segment: its own frame's acoustics follow the end. */
const SEGMENT_END: Codes = [CODE_END, VOICE[1], VOICE[2], VOICE[3]];
const SILENT: Codes = [CODE_PAD, CODE_PAD, CODE_PAD, CODE_PAD];

/** Words without meaning, in the number that matters; enough text to cut at words and full stops. */
export const countingTokenizer: Tokenizer = {
  encode: text =>
    isCallBegin(text) ? [CALL_BEGIN] : new Array(Math.ceil(text.length / CHARACTERS_PER_TOKEN)).fill(HEADER),
  decode: ids => ids.map(id => (id === WORD ? ' word' : id === FULL_STOP ? '.' : callText(id))).join(''),
};

/** @param mayCall the one before was no call whose result is answered now */
export function drawReply(random: Random, law: ReplyLaw, mayCall: boolean): ReplyScript {
  const { calls } = law;
  if (calls && mayCall && random.split('call').next() < calls.share)
    return { sentences: sentencesOf(calls.saysWords, law), callTokens: calls.tokens };
  const seconds = Math.min(law.maxS, law.medianS * Math.exp(normal(random, 0, law.sigma)));
  return { sentences: sentencesOf(Math.max(1, Math.round(seconds / WORD_S)), law), callTokens: 0 };
}

function sentencesOf(count: number, law: ReplyLaw): Sentence[] {
  const sentences: Sentence[] = [];
  for (let left = count; left > 0; left -= WORDS_PER_SENTENCE) {
    const words = Math.min(left, WORDS_PER_SENTENCE);
    sentences.push({
      words,
      frames: Math.max(words + 2, Math.round((words * WORD_S * 1000) / law.codeFrameMs)),
    });
  }
  return sentences;
}

/** The prediction of the reply's `step`th step (from 0). */
export function predict(script: ReplyScript, step: number, speech: boolean, tokens: SpecialTokens) {
  return speech ? predictSpeech(script, step, tokens) : predictText(script, step, tokens);
}

function predictSpeech({ callTokens, sentences }: ReplyScript, step: number, tokens: SpecialTokens) {
  let begin = 0;
  for (let i = 0; i < sentences.length; i++) {
    const { words, frames } = sentences[i];
    const at = step - begin;
    // A segment of n frames takes n + 1 steps: acoustics come one step behind.
    if (at <= frames) {
      const closing = i === sentences.length - 1 && callTokens === 0 ? tokens.eos : tokens.pause;
      const text = at < words ? WORD : at === words ? FULL_STOP : at === words + 1 ? closing : tokens.pad;
      const codes = at === frames ? SEGMENT_END : VOICE;
      return { text, codes };
    }
    begin += frames + 1;
  }
  // What the heads say within a call is noise.
  if (step - begin < callTokens) return { text: callStep(step - begin, callTokens), codes: VOICE };
  return { text: tokens.eos, codes: [CODE_END, CODE_END, CODE_END, CODE_END] as Codes };
}

function predictText({ callTokens, sentences }: ReplyScript, step: number, tokens: SpecialTokens) {
  let begin = 0;
  for (const { words } of sentences) {
    const at = step - begin;
    if (at <= words) return { text: at < words ? WORD : FULL_STOP, codes: SILENT };
    begin += words + 1;
  }
  if (step - begin < callTokens) return { text: callStep(step - begin, callTokens), codes: SILENT };
  return { text: tokens.eos, codes: SILENT };
}
