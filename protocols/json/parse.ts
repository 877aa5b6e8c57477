/** From the text of a frame to a checked value, or a refusal that names the field. Never throws. */
import type { z } from 'zod';
import type { RuntimeError } from '../../kernels/errors.ts';
import { shapeFault } from '../guard/index.ts';
import { refusal } from './refusal.ts';
import { schemaRefusal } from './schema-refusal.ts';

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: RuntimeError };

/** What a client sent as JSON, unless it is none or would keep the process busy. */
export function parseJson(text: string): Checked<unknown> {
  const fault = shapeFault(text);
  if (fault !== null) return { ok: false, error: refusal('invalid_event', `The JSON is refused: ${fault}.`) };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, error: refusal('invalid_json', 'The text is not JSON.') };
  }
}

/**
 * Zod itself throws on some values (a `length` that cannot become a number); that is the sender's fault like any other.
 */
export function checkSchema<S extends z.ZodType>(schema: S, raw: unknown): Checked<z.infer<S>> {
  try {
    const parsed = schema.safeParse(raw);
    if (parsed.success) return { ok: true, value: parsed.data };
    return { ok: false, error: schemaRefusal(parsed.error.issues[0], raw) };
  } catch {
    return { ok: false, error: refusal('invalid_value', 'A field holds a value of a wrong kind.') };
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
