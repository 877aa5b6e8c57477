/**
 * The arguments of one call as JSON text, told while the model still writes them, in any of the five shapes
 * (docs/spec/tools.md §1). Only what can no longer change is told: a member when it is complete, typed and repaired,
 * and the text of an argument that is a string and nothing more as it comes, because no repair can change that. What
 * was told stands: the whole text begins with it, whatever the model writes after.
 */
import type { JsonSchema, ToolCall, ToolDeclaration } from './definition.ts';
import { argumentOf, parseCalls } from './parse-call.ts';
import { ownOf, repairedName } from './repair.ts';

const KEY = '<longcat_arg_key>';
const VALUE_END = '</longcat_arg_value>';
const BEGUN_PAIR = /<longcat_arg_key>([\s\S]*?)<\/longcat_arg_key>\s*<longcat_arg_value>/g;
/** What ends a value, where the model forgot the value's own end too; a part of it may stand at the end. */
const TAGS = [VALUE_END, KEY, '</longcat_tool_call>', '<longcat_tool_call>', '<function_calls>'] as const;
/** Keywords that refuse no string. */
const PLAIN = new Set(['type', 'title', 'description', 'default', 'examples', '$comment']);
/** An object is read again when it has grown by this share: a long one costs no square of its length. */
const GROWTH = 1 / 32;

interface Value {
  readonly from: number;
  readonly raw: string;
  /** Null: it is told when it is complete. */
  key: string | null;
  /** Up to here it is. */
  told: number;
}

export class ArgumentStream {
  readonly #tools: readonly ToolDeclaration[];
  readonly #members = new Set<string>();
  #name: string | null = null;
  #text = '';
  /** Shape 1: what is read of the body, and the value that is being written. */
  #at = 0;
  #value: Value | null = null;
  #partTold = '';
  #readNext = 0;

  constructor(tools: readonly ToolDeclaration[]) {
    this.#tools = tools;
  }

  /** Of the tool, as soon as it is certain. */
  get name(): string | null {
    return this.#name;
  }

  /** What is certain; after `finish`, all. */
  get text(): string {
    return this.#text;
  }

  /** What the call says so far. */
  push(body: string): void {
    const tag = body.indexOf(KEY);
    const isObject = /^\s*[[{]/.test(body);
    if (!isObject && tag >= 0 && tag === body.indexOf('<') && !/^\s*\{/.test(body.slice(tag + KEY.length))) {
      if (this.#name === null) this.#called(repairedName(body.slice(0, tag), this.#tools));
      this.#pairs(body);
    } else if (body.includes('{')) this.#object(body);
  }

  /** The call is complete. */
  finish({ name, arguments: given }: ToolCall): void {
    this.#called(name);
    const key = this.#value?.key ?? null;
    if (key !== null) this.#close(String(ownOf(given, key) ?? ''));
    for (const [key, value] of Object.entries(given)) this.#member(key, JSON.stringify(value));
    this.#text += this.#text === '' ? '{}' : '}';
  }

  #called(name: string): void {
    if (name !== '') this.#name ??= name;
  }

  /** The first that is told under a name counts. */
  #member(key: string, json: string): void {
    if (this.#members.has(key)) return;
    this.#members.add(key);
    this.#text += `${this.#text === '' ? '{' : ','}${JSON.stringify(key)}:${json}`;
  }

  /** Shape 1. */
  #pairs(body: string): void {
    for (;;) {
      this.#value ??= this.#begunValue(body);
      const value = this.#value;
      if (value === null) return;
      const from = Math.max(value.from, value.told);
      const ends = [body.indexOf(VALUE_END, from), body.indexOf(KEY, from)].filter(at => at >= 0);
      if (ends.length === 0) {
        this.#tellPart(value, body);
        return;
      }
      const end = Math.min(...ends);
      const text = body.slice(value.from, end);
      if (value.key !== null) this.#close(text);
      else this.#pair(value.raw, text);
      this.#value = null;
      this.#at = body.startsWith(VALUE_END, end) ? end + VALUE_END.length : end;
    }
  }

  #begunValue(body: string): Value | null {
    BEGUN_PAIR.lastIndex = this.#at;
    const begun = BEGUN_PAIR.exec(body);
    return begun && { from: BEGUN_PAIR.lastIndex, raw: begun[1], key: null, told: 0 };
  }

  #pair(raw: string, text: string): void {
    const [key, value] = argumentOf(raw, text, this.#schema);
    this.#member(key, JSON.stringify(value));
  }

  /** Of a plain string: what cannot be the beginning of a tag or of white space at the end. */
  #tellPart(value: Value, body: string): void {
    const key = value.raw.trim();
    if (value.key === null) {
      const [first] = body.slice(value.from).trimStart();
      // A JSON string says what it says only when it is complete.
      if (first === undefined || first === '"' || this.#members.has(key)) return;
      if (!isPlainString(ownOf(this.#schema?.properties, key))) return;
      this.#member(key, '"');
      value.key = key;
      value.told = value.from;
    }
    const part = certainPart(body.slice(value.told));
    this.#text += JSON.stringify(part).slice(1, -1);
    this.#partTold += part;
    value.told += part.length;
  }

  #close(text: string): void {
    const rest = text.startsWith(this.#partTold) ? text.slice(this.#partTold.length) : '';
    this.#text += `${JSON.stringify(rest).slice(1, -1)}"`;
    this.#partTold = '';
  }

  /** Shapes 2 to 5: all members but the last, which may still grow. */
  #object(body: string): void {
    if (body.length < this.#readNext) return;
    const comma = body.lastIndexOf(',');
    if (comma < 0) return;
    this.#readNext = body.length + Math.ceil(body.length * GROWTH);
    const [call] = parseCalls(body.slice(0, comma), this.#tools);
    if (!call) return;
    const members = Object.entries(call.arguments).slice(0, -1);
    if (members.length === 0) return;
    this.#called(call.name);
    for (const [key, value] of members) this.#member(key, JSON.stringify(value));
  }

  get #schema(): JsonSchema | undefined {
    return this.#tools.find(tool => tool.name === this.#name)?.parameters;
  }
}

function isPlainString(schema: JsonSchema | undefined): boolean {
  return schema?.type === 'string' && Object.keys(schema).every(keyword => PLAIN.has(keyword));
}

/** Without what may be the beginning of a tag, half a character, and white space at the end. */
function certainPart(text: string): string {
  const last = text.lastIndexOf('<');
  const tail = last < 0 ? '' : text.slice(last);
  const part = tail !== '' && TAGS.some(tag => tag.startsWith(tail)) ? text.slice(0, last) : text;
  const isHalf = part !== '' && /[\uD800-\uDBFF]/.test(part.at(-1)!);
  return (isHalf ? part.slice(0, -1) : part).trimEnd();
}
