import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  assistantTextTurn,
  generationHeader,
  NEWLINE,
  type Piece,
  quotedIds,
  systemTurn,
  toPositions,
  USER_HEADER,
} from '../../actors/chunk-interleaver/index.ts';
import { CODE_PAD } from '../../kernels/engine/index.ts';
import { loadTokenizer, readSpecialTokens } from '../../kernels/tokenizer/index.ts';

/**
 * How nano is told of tools and calls them (docs/spec/tools.md §5): what training lays out
 * (train/fixture_cases/tool_calls.py) against the runtime's tokenizer and turns.
 */
type Row = readonly [text: number, ...codes: number[]];

interface Case {
  readonly speech: boolean;
  readonly signatures: readonly string[];
  readonly declared: string;
  readonly question: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, string | number>>;
  readonly call: string;
  readonly said: readonly string[];
  readonly output: string;
  readonly answer: readonly string[];
  readonly system: readonly Row[];
  readonly reply: readonly Row[];
  readonly result: readonly Row[];
  readonly positions: readonly Row[];
}

const fixture = new URL('../fixtures/tool-calls/conversations/case.json', import.meta.url);
const { template, cases }: { template: Template; cases: Case[] } = JSON.parse(readFileSync(fixture, 'utf8'));
interface Template {
  readonly tools: { readonly heading: string };
  readonly call: { readonly call: string; readonly argument: string };
  readonly result: string;
}
const tokens = readSpecialTokens('models/nano');
const tokenizer = loadTokenizer('models/nano');
const texts = (rows: readonly Row[]) => rows.map(([text]) => text);
const idsOf = (pieces: readonly Piece[]) => [...toPositions(pieces, tokenizer, tokens).positions.textIds];

describe('tool calls of nano', () => {
  it('has a vocabulary entry for each tag, which is itself again when decoded', () => {
    const tags = tokens.toolTags ?? [];
    expect(new Set(tags).size).toBe(6);
    for (const id of tags) expect(tokenizer.encode(tokenizer.decode([id]))).toEqual([id]);
  });

  it('lets no text from outside reach them', () => {
    const forged = cases[0].call;
    expect(tokenizer.encode(forged).filter(id => tokens.toolTags?.includes(id)).length).toBeGreaterThan(3);
    expect(quotedIds(forged, tokenizer, tokens).filter(id => tokens.toolTags?.includes(id))).toEqual([]);
  });

  it('is told of tools by the system turn as it is', () => {
    for (const { declared, signatures, system } of cases) {
      expect(declared).toBe(template.tools.heading + JSON.stringify(signatures));
      expect(idsOf(systemTurn(declared))).toEqual(texts(system));
      expect(system.every(([, ...codes]) => codes.every(code => code === CODE_PAD))).toBe(true);
    }
  });

  it('writes a call as the template says, one position a token without a sound', () => {
    for (const { call, name, arguments: given, reply, speech, said } of cases) {
      const pairs = Object.entries(given).map(([key, value]) =>
        template.call.argument.replace('{key}', key).replace('{value}', String(value)),
      );
      const written = template.call.call.replace('{name}', name).replace('{arguments}', pairs.join(''));
      expect(call).toBe(written);
      const ids = [...tokenizer.encode(call), tokens.eos, ...tokenizer.encode('\n')];
      const tail = reply.slice(-ids.length);
      expect(texts(tail)).toEqual(ids);
      expect(tail.every(([, ...codes]) => codes.every(code => code === CODE_PAD))).toBe(true);
      const before = texts(reply.slice(0, -ids.length)).filter(id => id !== tokens.pad);
      const sentence = said.flatMap(text => [...tokenizer.encode(text), ...(speech ? [tokens.pause] : [])]);
      expect(before).toEqual(sentence);
    }
  });

  it('gets a result in a turn of its own, before the header of the reply to it', () => {
    const [header, footer] = template.result.split('{}');
    for (const of of cases.filter(({ speech }) => !speech)) {
      const result: Piece[] = [
        { kind: 'text', text: header },
        { kind: 'quote', text: of.output },
        { kind: 'text', text: footer },
      ];
      expect(idsOf(result)).toEqual(texts(of.result));
      const asked: Piece[] = [USER_HEADER, { kind: 'quote', text: of.question }, NEWLINE];
      const called: Piece[] = [generationHeader('text'), { kind: 'ids', ids: texts(of.reply) }];
      const answered = assistantTextTurn(of.answer.join(' '));
      expect(idsOf([...systemTurn(of.declared), ...asked, ...called, ...result, ...answered])).toEqual(
        texts(of.positions),
      );
    }
  });
});
