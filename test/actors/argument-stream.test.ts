import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ArgumentStream,
  CallReader,
  parseCalls,
  type ToolCall,
  type ToolDeclaration,
  writtenCall,
} from '../../actors/tools/index.ts';
import { TOOL_TEMPLATE } from '../support/tool-calls.ts';

/** Arguments told while they are written (docs/spec/tools.md §3). */
const tool: ToolDeclaration = {
  name: 'note',
  parameters: {
    type: 'object',
    properties: {
      text: { type: 'string', description: 'What to note' },
      unit: { type: 'string', enum: ['celsius', 'kelvin'] },
      count: { type: 'integer' },
    },
  },
};
const begin = '<longcat_tool_call>';
const end = '</longcat_tool_call>';

/** What was told after each piece, all that is told, and what the whole call says. */
function streamed(pieces: readonly string[]) {
  const calls: ToolCall[] = [];
  const told: string[] = [];
  let stream = new ArgumentStream([tool]);
  const reader = new CallReader(body => {
    const [call] = parseCalls(body, [tool]);
    if (call) stream.finish(call);
    else stream = new ArgumentStream([tool]);
    if (call) calls.push(call);
  });
  for (const piece of pieces) {
    reader.push(piece);
    if (reader.body !== null) stream.push(reader.body);
    told.push(stream.text);
  }
  reader.finish();
  return { told, stream, calls };
}

/** The five shapes (docs/spec/tools.md §1). */
const shapes: Readonly<Record<string, (given: Record<string, unknown>) => string>> = {
  1: given => writtenCall({ name: 'note', arguments: given }, TOOL_TEMPLATE),
  2: given => `${begin}note(${JSON.stringify(given)})${end}`,
  3: given => begin + JSON.stringify({ name: 'note', arguments: given }) + end,
  4: given => `${begin}note\n<longcat_arg_key>${JSON.stringify(given)}`,
  5: given => `<function_calls>${JSON.stringify([{ name: 'note', arguments: given }])}</function_calls>`,
};

function cut(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, i = 0; at < text.length; i++) {
    const length = lengths[i % Math.max(1, lengths.length)] ?? text.length;
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc
    .array(fc.constantFrom('<', '"', ',', '{', '}', '\\', ' ', '\n', "'", '😀', 'a'))
    .map(parts => parts.join('')),
);
const values = fc.record(
  {
    text: anyText,
    unit: fc.constantFrom('celsius', 'Kelvin', ' kelvin', 'other'),
    count: fc.oneof(fc.integer(), fc.integer().map(String)),
    more: fc.jsonValue({ maxDepth: 2 }),
    'a b': anyText,
  },
  { requiredKeys: [], noNullPrototype: true },
);
const cuts = fc.array(fc.integer({ min: 1, max: 9 }));

describe('arguments that are told while they are written', () => {
  it.each(Object.keys(shapes))('are the beginning of the whole, in shape %s, however it is cut', shape => {
    const property = fc.property(values, cuts, (given, lengths) => {
      const text = shapes[shape](JSON.parse(JSON.stringify(given)));
      const { calls, stream, told } = streamed(cut(text, lengths));
      // Some texts no parser of shape 2 and 4 understands.
      if (calls.length === 0) return;
      for (const [i, part] of told.entries()) {
        expect(part.startsWith(told[i - 1] ?? '')).toBe(true);
        expect(stream.text.startsWith(part)).toBe(true);
      }
      if (shape === '1' || shape === '3' || shape === '5')
        expect([stream.name, JSON.parse(stream.text)]).toEqual([calls[0].name, calls[0].arguments]);
    });
    fc.assert(property, { numRuns: 60 });
  });

  it('are one JSON object, whatever a model writes and whatever is repaired', () => {
    const parts = ['<longcat_arg_key>', '</longcat_arg_key>', '<longcat_arg_value>', '</longcat_arg_value>'];
    const noise = fc.constantFrom(
      ...parts,
      'note',
      'text',
      'TEXT',
      'count',
      '5',
      '{',
      '}',
      ',',
      ':',
      '"',
      '(',
      '[',
      ' ',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 40 }), cuts, (words, lengths) => {
        const { calls, stream, told } = streamed(cut(begin + words.join('') + end, lengths));
        if (calls.length === 0) return;
        expect(JSON.parse(stream.text)).toBeTypeOf('object');
        for (const part of told) expect(stream.text.startsWith(part)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('come with every character of a plain string, and with every member of the others', () => {
    const given = { text: 'Buy milk, and bread for tomorrow.', unit: 'kelvin', count: 3, more: 1 };
    const steps = (shape: string) => new Set(streamed([...shapes[shape](given)]).told).size;
    // White space waits for what follows.
    expect(steps('1')).toBeGreaterThan(given.text.replaceAll(' ', '').length);
    for (const shape of ['2', '3', '4', '5']) expect(steps(shape)).toBeGreaterThanOrEqual(3);
  });

  it('wait where repair may change them', () => {
    const { told, stream } = streamed([
      ...`${begin}functions.NOTE\n<longcat_arg_key>unit</longcat_arg_key><longcat_arg_value>Kelvin</longcat_arg_value>${end}`,
    ]);
    expect(stream.name).toBe('note');
    expect(new Set(told)).toEqual(new Set(['', '{"unit":"kelvin"', '{"unit":"kelvin"}']));
  });

  it('of a long text cost no square of its length', () => {
    const text = shapes[3]({
      text: 'x'.repeat(30_000),
      ...Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`k${i}`, i])),
    });
    let parses = 0;
    const counted = new Proxy([tool], {
      get(of, key, self) {
        // Each reading looks for the tool's name.
        if (key === 'map') parses += 1;
        return Reflect.get(of, key, self);
      },
    });
    const stream = new ArgumentStream(counted);
    for (let at = 0; at < text.length; at += 50) stream.push(text.slice(0, at));
    expect(parses).toBeLessThan(400);
  });
});
