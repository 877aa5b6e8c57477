import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CallReader,
  type JsonSchema,
  callBegin,
  parseCalls,
  refusedArguments,
  resultTurn,
  type ToolCall,
  type ToolDeclaration,
  toolsTurn,
  writtenCall,
} from '../../actors/tools/index.ts';
import type { ToolTemplate } from '../../kernels/engine/index.ts';

/** What models write when they call a tool (docs/spec/tools.md §1). */
const fixture = new URL('../fixtures/tool-calls/conversations/case.json', import.meta.url);
const { template, cases } = JSON.parse(readFileSync(fixture, 'utf8')) as {
  template: ToolTemplate;
  cases: {
    signatures: string[];
    declared: string;
    name: string;
    arguments: object;
    call: string;
    output: string;
  }[];
};
const TAGS = ['longcat_tool_call', 'longcat_arg_key', 'longcat_arg_value', 'function_calls'].flatMap(name => [
  `<${name}>`,
  `</${name}>`,
]);
const weather: ToolDeclaration = {
  name: 'get_weather',
  parameters: {
    type: 'object',
    properties: {
      city: { type: 'string' },
      days: { type: 'integer' },
      detailed: { type: 'boolean' },
      unit: { type: 'string', enum: ['celsius', 'kelvin'] },
    },
    required: ['city'],
  },
};

/** Everything that is shown, and all calls, of a text that comes in these pieces. */
function read(pieces: readonly string[], tools: readonly ToolDeclaration[] = [], startsInCall = false) {
  const calls: ToolCall[] = [];
  const reader = new CallReader(body => calls.push(...parseCalls(body, tools)), startsInCall);
  const shown = pieces.map(piece => reader.push(piece)).join('') + reader.finish();
  return { shown, calls };
}

const one = (text: string, tools = [weather]) => read([text], tools);
const call = (body: string) => `<longcat_tool_call>${body}</longcat_tool_call>`;
const pair = (key: string, value: string) =>
  `<longcat_arg_key>${key}</longcat_arg_key><longcat_arg_value>${value}</longcat_arg_value>`;

describe('the text of tool calls', () => {
  it.each([
    ['1', call(`get_weather\n${pair('city', 'Bern')}\n${pair('days', '3')}`)],
    ['1, its end forgotten', `<longcat_tool_call>get_weather\n${pair('city', 'Bern')}${pair('days', '3')}`],
    ['2', call('get_weather({city: "Bern", days: 3})')],
    ['2, its end forgotten', '<longcat_tool_call>functions.get_weather({ city: "Bern", "days": 3, })'],
    ['3', call('{"name": "get_weather", "arguments": {"city": "Bern", "days": 3}}')],
    ['4', '<longcat_tool_call>get_weather\n<longcat_arg_key>{"city": "Bern", "days": 3}'],
    ['4, closed half', call('get_weather\n<longcat_arg_key>{"city": "Bern", "days": 3}</longcat_arg_key>')],
    ['5', '<function_calls>[{"name":"get_weather","arguments":{"city":"Bern","days":3}}]</function_calls>'],
  ])('is read in shape %s, however it is cut', (_, text) => {
    const wanted = {
      shown: 'One moment.',
      calls: [{ name: 'get_weather', arguments: { city: 'Bern', days: 3 } }],
    };
    expect(one(`One moment. ${text}`)).toEqual(wanted);
    expect(read([...`One moment. ${text}`], [weather])).toEqual(wanted);
  });

  it('gives several calls in their order, with and without the end between them', () => {
    const [a, b] = [`a\n${pair('x', '1')}`, `b\n${pair('y', '2')}`];
    const wanted = [
      { name: 'a', arguments: { x: 1 } },
      { name: 'b', arguments: { y: 2 } },
    ];
    expect(one(call(a) + call(b)).calls).toEqual(wanted);
    expect(one(`<longcat_tool_call>${a}<longcat_tool_call>${b}`).calls).toEqual(wanted);
    const json = '[{"name":"a","arguments":{"x":1}},{"name":"b","arguments":"{\\"y\\":2}"}]';
    expect(one(`<function_calls>${json}</function_calls>`).calls).toEqual(wanted);
  });

  it('repairs names and typed values as far as the schema asks for it', () => {
    const repaired = (name: string, given: object) =>
      one(call(JSON.stringify({ name, arguments: given }))).calls[0];
    expect(repaired('functions.GET_Weather', { City: 'Bern', days: '3', detailed: 'True' })).toEqual({
      name: 'get_weather',
      arguments: { city: 'Bern', days: 3, detailed: true },
    });
    expect(repaired('get_weather', { city: 3000, unit: 'Kelvin' }).arguments).toEqual({
      city: '3000',
      unit: 'kelvin',
    });
    // What cannot be repaired stays as it is; an unknown name too.
    expect(repaired('get_weather', { city: 'Bern', days: 'some' }).arguments).toEqual({
      city: 'Bern',
      days: 'some',
    });
    expect(repaired('order_pizza', { Size: '30' })).toEqual({
      name: 'order_pizza',
      arguments: { Size: '30' },
    });
    const twins = [{ name: 'Go' }, { name: 'GO' }];
    expect(one(call('go'), twins).calls).toEqual([{ name: 'go', arguments: {} }]);
    expect(one(call(`get_weather\n${pair('city', '3000')}`)).calls[0].arguments).toEqual({ city: '3000' });
  });

  it('says what of the arguments the tool does not take', () => {
    expect(refusedArguments({ city: 'Bern' }, weather.parameters)).toBeNull();
    expect(refusedArguments({ days: 1 }, weather.parameters)).toContain('city');
    expect(refusedArguments({}, { type: 'no type' })).toBeNull();
  });

  it('holds back what may become a tag, and nothing else', () => {
    const reader = new CallReader(() => {});
    expect(reader.push('3 < 4 and')).toBe('3 < 4 and');
    expect(reader.push(' then <long')).toBe(' then');
    expect(reader.push('er than that')).toBe(' <longer than that');
    expect(reader.push(' <')).toBe('');
    expect(reader.finish()).toBe(' <');
  });

  it('bounds what is no call', () => {
    const { calls, shown } = read(['Wait. <longcat_tool_call>', ...new Array(40).fill('x'.repeat(10_000))]);
    expect({ calls, shown }).toEqual({ calls: [], shown: 'Wait.' });
    expect(read(['<longcat_tool_call>', 'x'.repeat(400_000), '</longcat_tool_call> So.']).shown).toBe('So.');
  });

  it('reads what training has the model write, and tells tools and results as training does', () => {
    const text = (pieces: ReturnType<typeof toolsTurn>) =>
      pieces.map(p => ('text' in p ? p.text : '')).join('');
    for (const of of cases) {
      const tools = of.signatures.map(signature => {
        const [, name, parameters] = /^(\w+)\(([\w,]*)\)$/.exec(signature)!;
        const names = parameters.split(',').filter(Boolean);
        return { name, parameters: { properties: Object.fromEntries(names.map(key => [key, {}])) } };
      });
      expect(text(toolsTurn(tools, template))).toBe(`SYSTEM:${of.declared}</longcat_s>\n`);
      expect(one(of.call, tools).calls).toEqual([{ name: of.name, arguments: of.arguments }]);
      expect(writtenCall({ name: of.name, arguments: { ...of.arguments } }, template)).toBe(of.call);
      expect(text(resultTurn(of.output, template))).toBe(`TOOL:${of.output}\n`);
      const begun = callBegin(template, of.name);
      expect(read([of.call.slice(callBegin(template).length)], tools, true).calls[0].name).toBe(of.name);
      expect(of.call.startsWith(begun)).toBe(true);
    }
  });

  it('comes back as it was, whatever the arguments say and however it is cut', () => {
    const hostile = fc.array(fc.oneof(fc.constantFrom(...TAGS, '"', '{', '\n', ' ', '\\'), fc.string()), {
      maxLength: 4,
    });
    const anyText = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      hostile.map(parts => parts.join('')),
    );
    const value = fc.oneof(
      anyText,
      fc.jsonValue({ maxDepth: 2, stringUnit: 'grapheme' }),
      fc.integer().map(String),
    );
    const given = fc.dictionary(anyText, value, { maxKeys: 4, noNullPrototype: true });
    const schemas = fc.constantFrom<JsonSchema>({}, { type: 'string' });
    fc.assert(
      fc.property(given, schemas, fc.array(fc.integer({ min: 1, max: 9 })), (raw, schema, cuts) => {
        // What a JSON text can say: −0 is 0.
        const meant: Record<string, unknown> = JSON.parse(JSON.stringify(raw));
        const isOfText = Object.values(meant).every(each => typeof each === 'string');
        const properties = Object.fromEntries(Object.keys(meant).map(key => [key, isOfText ? schema : {}]));
        // Names that differ in their case alone are not told apart by repair.
        if (new Set(Object.keys(meant).map(key => key.toLowerCase())).size < Object.keys(meant).length)
          return;
        const text = `${writtenCall({ name: 'f', arguments: meant }, template)}</longcat_s>`;
        const pieces: string[] = [];
        for (let at = 0, i = 0; at < text.length; i++) {
          const length = cuts[i % Math.max(1, cuts.length)] ?? text.length;
          pieces.push(text.slice(at, at + length));
          at += length;
        }
        const { calls } = read(pieces, [{ name: 'f', parameters: { properties } }]);
        expect(calls).toEqual([{ name: 'f', arguments: meant }]);
      }),
      { numRuns: 1500 },
    );
  });
});
