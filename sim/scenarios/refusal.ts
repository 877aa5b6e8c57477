/** Why a scenario is refused: the setting that is wrong, as it was written, and what may stand there. */
import type { z } from 'zod';
import { RuntimeError } from '../../kernels/errors.ts';

type ScenarioIssue = z.core.$ZodIssue;

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

const MAX_SHOWN = 80;

/** An unknown name says most: whoever misspells a setting also lacks it. */
export function refusal(given: object, error: z.ZodError): RuntimeError {
  const faults = error.issues.flatMap(issue => faultsOf(issue, given, []));
  const [fault] = [...faults.filter(({ message }) => message.startsWith('Unknown')), ...faults];
  const { path, message } = fault;
  const value = JSON.stringify(valueAt(given, path));
  const values = {
    setting: path.join('.'),
    ...(value !== undefined && { value: value.slice(0, MAX_SHOWN) }),
  };
  const remedy = 'docs/scenarios.md lists every setting.';
  return new RuntimeError('scenario.invalid', `Scenario refused: ${message}.`, values, remedy);
}

function faultsOf(issue: ScenarioIssue, given: object, above: readonly PropertyKey[]): Fault[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => ({ path: [...path, key], message: 'Unknown setting' }));
  if (valueAt(given, path) === undefined) return [{ path, message: 'A setting is missing' }];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // Of several shapes, the one that fits best is the one that was meant.
    const shapes = issue.errors.map(issues => issues.flatMap(inner => faultsOf(inner, given, path)));
    return shapes.reduce((best, shape) => (score(shape) < score(best) ? shape : best));
  }
  return [{ path, message: issue.message }];
}

/** Names that a shape does not know, or lacks, speak against it more than values do. */
function score(faults: readonly Fault[]): number {
  return faults.reduce((sum, { message }) => sum + (/^(Unknown|A setting)/.test(message) ? 2 : 1), 0);
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], given);
}
