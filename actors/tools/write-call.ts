/**
 * Calls and results as the model reads them (docs/spec/tools.md §1, §5). `parse-call.ts` is the inverse: whatever an
 * argument says, it comes back as it was, and no text in it can pass for a tag.
 */
import type { ToolTemplate } from '../../kernels/engine/index.ts';
import { END_OF_TURN, generationHeader, NEWLINE, type Piece } from '../chunk-interleaver/index.ts';
import { lenientObject } from './lenient-object.ts';
import { declared, filled, type ToolCall, type ToolDeclaration } from './definition.ts';

/** The turn that tells of tools. */
export function toolsTurn(tools: readonly ToolDeclaration[], template: ToolTemplate): Piece[] {
  return framed(template.tools.turn, declared(tools, template));
}

/** The turn that tells what came of a call. */
export function resultTurn(output: string, template: ToolTemplate): Piece[] {
  return framed(template.result, output);
}

/** A call as a turn of its own, written; arguments that are no JSON object are told as one. */
export function callTurn(name: string, argumentsJson: string, template: ToolTemplate): Piece[] {
  const text = writtenCall({ name, arguments: argumentsOf(argumentsJson) }, template);
  return [generationHeader('text'), { kind: 'text', text: `${text}${END_OF_TURN}` }, NEWLINE];
}

function argumentsOf(json: string): Record<string, unknown> {
  if (json.trim() === '') return {};
  const value = lenientObject(json);
  return value ?? { arguments: json };
}

export function writtenCall({ name, arguments: given }: ToolCall, template: ToolTemplate): string {
  const pairs = Object.entries(given).map(([key, value]) =>
    filled(template.call.argument, { key: word(key), value: writtenValue(value) }),
  );
  return filled(template.call.call, { name: name.replaceAll(/[<>\s({]/g, ''), arguments: pairs.join('') });
}

/** How a call begins, so that the model has to go on with it; with a name, of that tool. */
export function callBegin(template: ToolTemplate, name = ''): string {
  const [before, after] = template.call.call.split('{name}');
  return name === '' ? before : before + name + after.split('{arguments}')[0];
}

function writtenValue(value: unknown): string {
  return typeof value === 'string' ? word(value) : escaped(JSON.stringify(value ?? null));
}

/** As it stands, or as a JSON string where it could be taken for something else. */
function word(text: string): string {
  const isPlain = text !== '' && text === text.trim() && !/[<"\p{Cc}]/u.test(text) && !isJson(text);
  return isPlain ? text : escaped(JSON.stringify(text));
}

/** Every tag begins with this character; JSON has another way to write it. */
const escaped = (json: string): string => json.replaceAll('<', '\\u003c');

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Each piece is encoded by itself, newlines too, as training does (docs/spec/model.md §5.1). */
function framed(frame: string, text: string): Piece[] {
  const [before, after] = frame.split('{}');
  const plain = (value: string): Piece[] =>
    value
      .split(/(\n)/)
      .flatMap(part => (part === '' ? [] : part === '\n' ? [NEWLINE] : [{ kind: 'text', text: part }]));
  return [...plain(before), { kind: 'quote', text }, ...plain(after)];
}
