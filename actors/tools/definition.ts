/** What a tool is: told to the model by its name and its parameters. */
import type { ToolTemplate } from '../../kernels/engine/index.ts';

/** As far as it is looked at; a schema may say more, which the validator knows. */
export interface JsonSchema {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly [keyword: string]: unknown;
}

export interface ToolDeclaration {
  /** 1–64 of `a–z A–Z 0–9 _ . -`. */
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema of an object; absent: no arguments. */
  readonly parameters?: JsonSchema | undefined;
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

/** One call as the model meant it. */
export interface ToolCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** What the model is told of them, as text. */
export function declared(tools: readonly ToolDeclaration[], { tools: told }: ToolTemplate): string {
  return told.heading + JSON.stringify(tools.map(tool => entry(tool, told)));
}

function entry({ name, description, parameters }: ToolDeclaration, told: ToolTemplate['tools']): unknown {
  if (told.tool === undefined) return { name, description, parameters };
  const names = Object.keys(parameters?.properties ?? {}).join(told.separator ?? ',');
  return filled(told.tool, { name, parameters: names });
}

/** Puts values into the places of their names; what a value says is never taken for a place. */
export function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}
