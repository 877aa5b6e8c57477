import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Context } from '../../actors/language-model/context.ts';
import type { ReplyState } from '../../actors/language-model/index.ts';
import { TextDelta } from '../../actors/language-model/text-delta.ts';
import { Transcript } from '../../actors/play-out/index.ts';
import { ABSENT, CODE_END, CODE_PAD, CODEBOOKS, type Positions } from '../../kernels/engine/index.ts';
import { loadTokenizer, readSpecialTokens } from '../../kernels/tokenizer/index.ts';

/**
 * What the context keeps of a reply that was cut, position by position against what training draws of the same
 * conversation (train/fixture_cases/cut_replies.py): kept steps, closing step, newline, and whatever comes after.
 */
const MODEL = 'models/nano';
type Row = readonly [text: number, semantic: number, first: number, second: number, third: number];

interface Case {
  readonly heardMs: number;
  readonly heard: readonly string[];
  readonly user: readonly Row[];
  readonly header: readonly Row[];
  readonly steps: readonly Row[];
  readonly newline: readonly number[];
  readonly next: readonly Row[];
  readonly positions: readonly Row[];
}

const fixture = new URL('../fixtures/cut-replies/recitations/case.json', import.meta.url);
const { frameMs, cases }: { frameMs: number; cases: Case[] } = JSON.parse(readFileSync(fixture, 'utf8'));
const tokens = readSpecialTokens(MODEL);
const tokenizer = loadTokenizer(MODEL);

const asPositions = (rows: readonly Row[]): Positions => ({
  textIds: Int32Array.from(rows, ([text]) => text),
  codes: Int32Array.from(rows.flatMap(([, ...codes]) => codes)),
  features: new Float32Array(0),
});

/** As the state machine of docs/spec/model.md §1.9 records a step: what training pads is absent. */
function recorded([text, semantic, ...acoustic]: Row) {
  const or = (id: number, pad: number) => (id === pad ? ABSENT : id);
  const [first, second, third] = acoustic.map(code => or(code, CODE_PAD));
  return { textId: or(text, tokens.pad), codes: [semantic, first, second, third] as const };
}

/** Everything in the context, absent ids as training writes them. */
function rowsOf(context: Context): Row[] {
  const rows: Row[] = [];
  while (rows.length < context.length) {
    const { textIds, codes } = context.slice(rows.length, context.length);
    textIds.forEach((text, at) => {
      const of = [...codes.subarray(at * CODEBOOKS, (at + 1) * CODEBOOKS)];
      const [semantic, first, second, third] = of.map(code => (code === ABSENT ? CODE_PAD : code));
      rows.push([text === ABSENT ? tokens.pad : text, semantic, first, second, third]);
    });
  }
  return rows;
}

function stateAfter({ textId, codes }: ReturnType<typeof recorded>, before: ReplyState): ReplyState {
  if (textId === tokens.pause || textId === tokens.eos) return 'audio-only';
  if (before !== 'audio-only') return before;
  return codes[0] === CODE_END ? 'text-and-audio' : 'audio-only';
}

/** The reply as it is said, cut after `heardMs`. */
function cutReply(of: Case): { context: Context; text: string } {
  const context = new Context({
    hiddenSize: 1,
    featureIds: new Set(),
    maxPositions: 4096,
    pause: tokens.pause,
    eos: tokens.eos,
    pads: { audioPad: -2, imagePad: -3 },
    newline: of.newline,
  });
  context.append('question', 'user', 1, asPositions(of.user));
  const header = asPositions(of.header);
  context.openReply({ generationId: 'g', itemId: 'reply', turn: 1, close: null, header, speech: true }, 0);
  const [transcript, delta] = [new Transcript(frameMs), new TextDelta(tokenizer, tokens)];
  let state: ReplyState = 'text-and-audio';
  for (const row of of.steps) {
    const step = recorded(row);
    context.record('reply', step);
    state = stateAfter(step, state);
    transcript.step(delta.push(step.textId), step.codes[0], state);
  }
  const { steps, text } = transcript.cut(of.heardMs, 'punctuation');
  context.truncateReply('reply', steps);
  context.append('next', 'user', 2, asPositions(of.next));
  return { context, text };
}

describe('a reply that was cut', () => {
  it.each(cases.map((of, at) => [at, of.heard.at(-1) ?? 'nothing', of] as const))(
    'stays in the context as training draws it (case %i, up to %s)',
    (_, _last, of) => {
      const { context, text } = cutReply(of);
      expect(text.match(/\w+/g)?.map(word => word.toLowerCase()) ?? []).toEqual(
        of.heard.flatMap(item => item.toLowerCase().split(' ')),
      );
      expect(rowsOf(context)).toEqual(of.positions);
    },
  );
});
