import type { z } from 'zod';
import { shapeFault } from '../guard/index.ts';
import { badFrame } from './bad-frame.ts';

/** A carrier's frame of JSON, or the refusal of it. */
export function readJson<S extends z.ZodType>(schema: S, text: string): z.infer<S> {
  const fault = shapeFault(text);
  if (fault !== null) throw badFrame(`The frame is refused: ${fault}.`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw badFrame('The frame is no JSON.');
  }
  const parsed = parse(schema, json);
  if (parsed) return parsed;
  throw badFrame('The frame is none that this carrier sends.');
}

/** Zod itself throws on some values; that is the sender's fault like any other. */
function parse<S extends z.ZodType>(schema: S, json: unknown): z.infer<S> | null {
  try {
    return schema.safeParse(json).data ?? null;
  } catch {
    return null;
  }
}
