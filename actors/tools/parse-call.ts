/** What stands between the tags of a call, in any of the five shapes that models write (docs/spec/tools.md §1). */
import type { JsonSchema, ToolCall, ToolDeclaration } from './definition.ts';
import { lenientObject } from './lenient-object.ts';
import { ownOf, repairedArguments, repairedName } from './repair.ts';

const PAIR =
  /<longcat_arg_key>([\s\S]*?)<\/longcat_arg_key>\s*<longcat_arg_value>([\s\S]*?)(?:<\/longcat_arg_value>|(?=<longcat_arg_key>)|$)/g;
const OBJECT_AFTER_KEY = /<longcat_arg_key>\s*(\{[\s\S]*)$/;
const CALL_SYNTAX = /^([\w.-]+)\s*\(([\s\S]*?)\)?\s*$/;
/** Calls of one array. */
const MAX_CALLS = 64;

/** All calls of one body; none where it says nothing that can be understood. */
export function parseCalls(body: string, tools: readonly ToolDeclaration[]): ToolCall[] {
  const text = body.trim();
  const raw = text.startsWith('[') || text.startsWith('{') ? fromJson(text) : [fromText(text, tools)];
  return raw.flatMap(call => {
    if (!call || call.name === '') return [];
    const name = repairedName(call.name, tools);
    const schema = tools.find(tool => tool.name === name)?.parameters;
    return [{ name, arguments: repairedArguments(call.arguments, schema) }];
  });
}

/** Shapes 3 and 5. */
function fromJson(text: string): (ToolCall | null)[] {
  const value = jsonOf(text) ?? lenientObject(text);
  const list = Array.isArray(value) ? value.slice(0, MAX_CALLS) : [value];
  return list.map(one => {
    if (!isObject(one)) return null;
    const of = isObject(one.function) ? one.function : one;
    const given = of.arguments ?? of.parameters ?? {};
    const known = typeof given === 'string' ? (jsonOf(given) ?? lenientObject(given)) : given;
    return typeof of.name === 'string' ? { name: of.name, arguments: isObject(known) ? known : {} } : null;
  });
}

function fromText(text: string, tools: readonly ToolDeclaration[]): ToolCall | null {
  const firstTag = text.indexOf('<');
  const head = (firstTag < 0 ? text : text.slice(0, firstTag)).trim();
  if (firstTag < 0) {
    // Shape 2, and a name alone.
    const called = CALL_SYNTAX.exec(text);
    if (!called) return { name: text.split('\n')[0].trim(), arguments: lenientObject(afterName(text)) ?? {} };
    return { name: called[1], arguments: lenientObject(called[2]) ?? {} };
  }
  // Shape 4: one object in place of the pairs.
  const whole = text.includes('<longcat_arg_value>') ? null : OBJECT_AFTER_KEY.exec(text);
  if (whole) return { name: head, arguments: lenientObject(whole[1]) ?? {} };
  const schema = tools.find(tool => tool.name === repairedName(head, tools))?.parameters;
  return { name: head, arguments: pairsOf(text, schema) };
}

const afterName = (text: string): string => text.slice(text.indexOf('\n') + 1);

/** Shape 1. The first of two pairs with one key counts. */
function pairsOf(text: string, schema: JsonSchema | undefined): Record<string, unknown> {
  const pairs = new Map<string, unknown>();
  for (const [, key, value] of text.matchAll(PAIR)) {
    const [name, typed] = typedPair(key, value, schema);
    if (!pairs.has(name)) pairs.set(name, typed);
  }
  return Object.fromEntries(pairs);
}

/** One pair of shape 1 as it is told in the end. */
export function argumentOf(key: string, value: string, schema: JsonSchema | undefined): [string, unknown] {
  return Object.entries(repairedArguments(Object.fromEntries([typedPair(key, value, schema)]), schema))[0];
}

function typedPair(key: string, value: string, schema: JsonSchema | undefined): [string, unknown] {
  const name = String(stringOf(key.trim()) ?? key.trim());
  return [name, typedValue(value, ownOf(schema?.properties, name))];
}

/** JSON where it parses as such and the schema does not want a string; a JSON string always. */
function typedValue(text: string, schema: JsonSchema | undefined): unknown {
  const known = jsonOf(text);
  if (known === undefined || (schema?.type === 'string' && typeof known !== 'string')) return text;
  return known;
}

function stringOf(text: string): string | undefined {
  const value = text.startsWith('"') ? jsonOf(text) : undefined;
  return typeof value === 'string' ? value : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
