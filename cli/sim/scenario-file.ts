import { dirname, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { RuntimeError } from '../../kernels/errors.ts';
import { withSetting } from '../../sim/scenarios/schema.ts';
import { parseYaml, readText } from '../text-file.ts';
import { readDecodeTable } from './decode-table-file.ts';
import { readEngineFile } from './engine-file.ts';

export interface Assignment {
  readonly path: string;
  readonly value: unknown;
}

/** The content of a YAML or JSON scenario file with these settings changed; not yet checked. */
export function readScenario(file: string, assignments: readonly Assignment[]): unknown {
  try {
    const content = parseYaml(readText(file));
    const changed = assignments.reduce((given, { path, value }) => withSetting(given, path, value), content);
    return withEngineFile(changed, dirname(file));
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const values = { file, cause: (error as Error).message };
    throw new RuntimeError(
      'scenario.unreadable',
      'The scenario cannot be read.',
      values,
      'Give a YAML or JSON file.',
    );
  }
}

/**
 * `engine: profile.yaml` stands for what that file says, and so do the paths within it; seen from the scenario's
 * folder.
 */
function withEngineFile(content: unknown, folder: string): unknown {
  const engine = (content as { engine?: unknown } | null)?.engine;
  if (typeof engine === 'string')
    return { ...(content as object), engine: readEngineFile(resolve(folder, engine)) };
  if (typeof engine !== 'object' || engine === null) return content;
  const { decodeTable, model } = engine as { decodeTable?: unknown; model?: unknown };
  return {
    ...(content as object),
    engine: {
      ...engine,
      ...(typeof model === 'string' &&
        /\.(ya?ml|json)$/.test(model) && { model: parsedFile(resolve(folder, model)) }),
      ...(typeof decodeTable === 'string' && { decodeTable: readDecodeTable(resolve(folder, decodeTable)) }),
    },
  };
}

const parsedFile = (path: string): unknown => parseYaml(readText(path));

/** `people.bargeIn=0.3`, collected by commander; the value is read as YAML. */
export function assignment(text: string, previous: readonly Assignment[]): Assignment[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Give path=value, for example people.bargeIn=0.3.');
  return [...previous, { path: text.slice(0, at), value: assignedValue(text.slice(at + 1)) }];
}

function assignedValue(text: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    throw new InvalidArgumentError(`The value is no YAML: ${(error as Error).message}.`);
  }
}
