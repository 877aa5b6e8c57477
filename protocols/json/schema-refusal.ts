/** What a schema has against a value, told so that a person can mend it: the field, and what is wanted there. */
import type { RuntimeError } from '../../kernels/errors.ts';
import { refusal } from './refusal.ts';

export interface Issue {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Of an object that takes no other fields: those it has too many. */
  readonly keys?: readonly string[];
  /** Of a union: what each of its members has against the value. */
  readonly errors?: readonly (readonly Issue[])[];
}

export function schemaRefusal(given: Issue, raw: unknown): RuntimeError {
  const issue = innermost(given);
  const [unknown] = issue.keys ?? [];
  if (unknown !== undefined) {
    const name = pathText([...issue.path, unknown.slice(0, 100)]);
    return refusal('unknown_parameter', `There is no field ${name} here.`, name);
  }
  const param = pathText(issue.path);
  const wanted = wantedBy(issue);
  if (valueAt(raw, issue.path) === undefined) {
    return refusal('missing_required_parameter', `${param} is missing: ${wanted}.`, param);
  }
  const code =
    issue.code === 'too_big' && param.endsWith('audio') ? 'string_above_max_length' : 'invalid_value';
  return refusal(code, `${param}: ${wanted}.`, param);
}

/** The complaint of the member of a union that the value is nearest to; of all of them where none is nearer. */
function innermost(issue: Issue): Issue {
  const members = (issue.errors ?? []).map(([first, ...rest]) => ({
    issue: innermost(first),
    isOther: [first, ...rest].some(({ code, path }) => code === 'invalid_value' && path[0] === 'type'),
  }));
  if (members.length === 0) return issue;
  // A member with another `type` is another thing; one that got further into the value is nearer.
  const rank = ({ issue: { path }, isOther }: (typeof members)[number]) =>
    path.length === 0 ? 0 : isOther ? 1 : 1 + path.length;
  const nearest = Math.max(...members.map(rank));
  const near = members.filter(member => rank(member) === nearest).map(member => member.issue);
  const path = [...issue.path, ...near[0].path];
  const message = [...new Set(near.map(wantedBy))].join(', or ');
  return { code: near[0].code, path, message, ...(near[0].keys && { keys: near[0].keys }) };
}

/** Zod's message without its head: "expected string, received number". */
function wantedBy({ message }: Issue): string {
  const wanted = message.replace(/^Invalid [a-z ]+[:.]\s*/i, '');
  return wanted.charAt(0).toLowerCase() + wanted.slice(1);
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map(key => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    raw,
  );
}
