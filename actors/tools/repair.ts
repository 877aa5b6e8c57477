/**
 * Names and values brought nearer to what was offered (docs/spec/tools.md §1). A value is only changed where the schema
 * refuses it as it is and takes it changed. The validator is zod's own, which reads JSON Schema without compiling code
 * from what a client sends; zod is a dependency already.
 */
import { z } from 'zod';
import type { JsonSchema, ToolDeclaration } from './definition.ts';

/**
 * Without the prefix that some models write; another case where it is clear which tool is meant; else as it is, for the
 * client to decide.
 */
export function repairedName(given: string, tools: readonly ToolDeclaration[]): string {
  const name = given.trim().replace(/^functions\./, '');
  return nearest(
    name,
    tools.map(tool => tool.name),
  );
}

export function repairedArguments(
  given: Readonly<Record<string, unknown>>,
  schema: JsonSchema | undefined,
): Record<string, unknown> {
  const properties = schema?.properties ?? {};
  const known = Object.keys(properties);
  const repaired = new Map<string, unknown>();
  for (const [key, value] of Object.entries(given)) {
    const name = nearest(key, known);
    if (!repaired.has(name)) repaired.set(name, repairedValue(value, ownOf(properties, name)));
  }
  return Object.fromEntries(repaired);
}

/** Why the arguments are not what the tool takes; null: they are. A schema that cannot be read refuses nothing. */
export function refusedArguments(given: unknown, schema: JsonSchema | undefined): string | null {
  const validator = schema && validatorOf(schema);
  const result = validator?.safeParse(given);
  return !result || result.success ? null : z.prettifyError(result.error);
}

/** A model may call an argument what it likes, `constructor` too. */
export function ownOf<T>(values: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return values && Object.hasOwn(values, name) ? values[name] : undefined;
}

function nearest(name: string, known: readonly string[]): string {
  if (known.includes(name)) return name;
  const alike = known.filter(other => other.toLowerCase() === name.toLowerCase());
  return alike.length === 1 ? alike[0] : name;
}

function repairedValue(value: unknown, schema: JsonSchema | undefined): unknown {
  if (!schema || refusedArguments(value, schema) === null) return value;
  return candidates(value).find(other => refusedArguments(other, schema) === null) ?? value;
}

/** What else it may have meant, likeliest first. */
function candidates(value: unknown): unknown[] {
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value), [value]];
  if (typeof value !== 'string') return [JSON.stringify(value), [value]];
  const text = value.trim();
  const lower = text.toLowerCase();
  const out: unknown[] = [text, lower];
  if (text !== '' && Number.isFinite(Number(text))) out.push(Number(text));
  if (lower === 'true' || lower === 'false') out.push(lower === 'true');
  if (lower === 'null' || lower === 'none') out.push(null);
  return [...out, [value]];
}

const validators = new WeakMap<object, z.ZodType | null>();

function validatorOf(schema: JsonSchema): z.ZodType | null {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  let made: z.ZodType | null = null;
  try {
    made = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  } catch {
    // It says more than the validator knows.
  }
  validators.set(schema, made);
  return made;
}
