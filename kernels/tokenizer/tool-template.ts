import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readConfigFile } from '../components/config-file.ts';

/** How tools are told to a model, called by it and answered (docs/spec/tools.md §5); `{}` stands for what is put in. */
export interface ToolTemplate {
  readonly tools: {
    /** The turn that tells of tools. */
    readonly turn: string;
    readonly heading: string;
    readonly list: 'json';
    /**
     * An entry of the list, with `{name}` and `{parameters}`; absent: name, description and JSON Schema, as an object.
     */
    readonly tool?: string | undefined;
    readonly separator?: string | undefined;
  };
  readonly call: {
    /** With `{name}` and `{arguments}`. */
    readonly call: string;
    /** With `{key}` and `{value}`. */
    readonly argument: string;
  };
  /** The turn that tells what came of a call. */
  readonly result: string;
}

const withPlaces = (...places: string[]) =>
  z
    .string()
    .max(1000)
    .refine(
      text => places.every(place => text.split(place).length === 2),
      `needs ${places.join(' and ')} once`,
    );

const schema = z.object({
  version: z.literal(1),
  tools: z.object({
    turn: withPlaces('{}'),
    heading: z.string().max(1000),
    list: z.literal('json'),
    tool: withPlaces('{name}', '{parameters}').optional(),
    separator: z.string().max(20).optional(),
  }),
  call: z.object({ call: withPlaces('{name}', '{arguments}'), argument: withPlaces('{key}', '{value}') }),
  result: withPlaces('{}'),
});

/**
 * From `template.json`; null where the directory has none: the model was taught no tools. @throws RuntimeError
 * `config.*`
 */
export function readToolTemplate(directory: string): ToolTemplate | null {
  const path = join(directory, 'template.json');
  if (!existsSync(path)) return null;
  const { tools, call, result } = readConfigFile(path, schema);
  return { tools, call, result };
}
