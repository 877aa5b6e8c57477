import { RuntimeError } from '../../kernels/errors.ts';
import { type EngineScenario, engineSchema } from '../../sim/scenarios/engine-schema.ts';
import { parseYaml, readText } from '../text-file.ts';

/**
 * The engine of a scenario from a file of its own: a profile written by `sim calibrate`, or any scenario's `engine`
 * part.
 * @throws RuntimeError `engine-file.unreadable`, `engine-file.invalid`
 */
export function readEngineFile(path: string): EngineScenario {
  let content: unknown;
  try {
    content = parseYaml(readText(path));
  } catch (error) {
    const values = { path, cause: (error as Error).message };
    throw new RuntimeError(
      'engine-file.unreadable',
      'The engine file cannot be read.',
      values,
      'Give a YAML file.',
    );
  }
  const result = engineSchema.safeParse((content as { engine?: unknown } | null)?.engine ?? content);
  if (result.success) return result.data;
  const [{ message, path: at }] = result.error.issues;
  throw new RuntimeError(
    'engine-file.invalid',
    `Engine refused: ${message}.`,
    { path, setting: at.join('.') },
    'Give a profile written by longcat-rt sim calibrate, or a scenario with an engine.',
  );
}
