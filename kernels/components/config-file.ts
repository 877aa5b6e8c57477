import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { RuntimeError } from '../errors.ts';

const MAX_CONFIG_BYTES = 10_000_000;

/**
 * A JSON file of a model directory, checked by `schema`; keys the schema does not know are ignored
 * (docs/spec/model.md §11).
 * @throws RuntimeError `config.open` | `config.invalid`, naming the file and the key
 */
export function readConfigFile<T>(path: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(readJson(path));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new RuntimeError('config.invalid', `A configuration file is not as expected: ${issue.message}.`, {
    file: path,
    key: issue.path.join('.') || '(whole file)',
  });
}

function readJson(path: string): unknown {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error('it is not a regular file'); // A pipe could be waited for without end.
    const { size } = stats;
    if (size > MAX_CONFIG_BYTES)
      throw new Error(`it has ${size} bytes, at most ${MAX_CONFIG_BYTES} are read`);
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new RuntimeError(
      'config.open',
      'A configuration file cannot be read.',
      { file: path, cause: (error as Error).message },
      'Is this the right model directory?',
    );
  }
}

/** The size of something: a positive integer with a generous bound, so that a hostile file cannot ask for the moon. */
export const sizeSchema = z.int().min(1).max(1_000_000);

/** A file beside the configuration: a plain name, so that a configuration cannot reach outside its directory. */
export const fileNameSchema = z.string().regex(/^[^/\\\0]+$/, { error: 'expected a plain file name' });
