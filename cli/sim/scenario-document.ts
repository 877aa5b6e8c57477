/** docs/scenarios.md: every setting of a scenario, from the schema that checks it. */
import { z } from 'zod';
import { scenarioSchema } from '../../sim/scenarios/schema.ts';
import { trainingSchema } from '../../sim/training/index.ts';

const KINDS: Readonly<Record<string, string>> = {
  integer: 'whole number',
  string: 'text',
  boolean: 'true or false',
};

type DocumentSchema = z.core.JSONSchema.BaseSchema;

const HEAD = `# Scenarios

Generated from \`sim/scenarios/schema.ts\` by \`longcat-rt docs\`; do not edit. A scenario is a YAML or JSON file for \`longcat-rt sim FILE\`; \`--set path=value\`
changes one setting of it. Settings without a default have to be there. The files in \`sim/scenarios\` are examples, each with what to look for; sections (§)
are those of docs/spec/latency-data.md. Those of a training step come last.
`;

const TRAINING_HEAD = `
## Training

Generated from \`sim/training/schema.ts\`: settings of a file for \`longcat-rt sim training FILE\`. What the report does not give is an assumption
(docs/training-parallelism.md).
`;

const COLUMNS = ['| setting | may be | default | meaning |', '|---|---|---|---|'];

export function scenarioDocument(): string {
  const tableOf = (schema: z.ZodType) => {
    const document = z.toJSONSchema(schema, { io: 'input' }) as DocumentSchema;
    return [...COLUMNS, ...rowsOf(document, [], '')];
  };
  return `${[HEAD, ...tableOf(scenarioSchema), TRAINING_HEAD, ...tableOf(trainingSchema)].join('\n')}\n`;
}

function rowsOf(schema: DocumentSchema, path: readonly string[], note: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const field = property as DocumentSchema;
    const isNeeded = schema.required?.includes(name) === true;
    return fieldRows(field, [...path, name], isNeeded, note);
  });
}

function fieldRows(
  field: DocumentSchema,
  path: readonly string[],
  isNeeded: boolean,
  note: string,
): string[] {
  const shapes = (field.anyOf ?? field.oneOf) as DocumentSchema[] | undefined;
  if (shapes?.some(({ properties }) => properties))
    return shapes.flatMap(shape => shapeRows(shape, path, field));
  if (field.properties) {
    const whole =
      field.default && Object.keys(field.default as object).length > 0
        ? `\`${JSON.stringify(field.default)}\``
        : '';
    const own = field.description ? [row(path, 'these settings', whole, field.description)] : [];
    return [...own, ...rowsOf(field, path, note)];
  }
  const fallback =
    field.default === undefined ? (isNeeded ? 'needed' : '–') : `\`${JSON.stringify(field.default)}\``;
  return [row(path, range(field), fallback, [field.description, note].filter(Boolean).join(' '))];
}

/** One of several shapes; each says in what it differs. */
function shapeRows(shape: DocumentSchema, path: readonly string[], of: DocumentSchema): string[] {
  if (!shape.properties) {
    const fallback = of.default === undefined ? 'needed' : `\`${JSON.stringify(of.default)}\``;
    return [row(path, range(shape), fallback, of.description ?? 'By name, or as the settings below.')];
  }
  const law = Object.entries(shape.properties).find(
    ([, inner]) => (inner as DocumentSchema).const !== undefined,
  );
  if (!law) return rowsOf(shape, path, '');
  return rowsOf(shape, path, `With \`${law[0]}: ${(law[1] as DocumentSchema).const}\`.`);
}

function range(field: DocumentSchema): string {
  if (field.const !== undefined) return `\`${field.const}\``;
  if (field.enum) return field.enum.map(value => `\`${value}\``).join(', ');
  if (field.type === 'array') {
    const items = (field.prefixItems ?? [field.items]) as DocumentSchema[];
    return `list of ${items.map(item => (item ? range(item) : 'anything')).join(', ')}`;
  }
  const shapes = (field.anyOf ?? field.oneOf) as DocumentSchema[] | undefined;
  if (shapes) return shapes.map(range).join(' or ');
  const types = [field.type ?? 'anything'].flat();
  const kind = types.map(type => KINDS[type] ?? type).join(' or ');
  const { exclusiveMinimum, maximum, minimum, multipleOf } = field;
  const bounds = [
    exclusiveMinimum === undefined ? '' : `more than ${exclusiveMinimum}`,
    isBound(minimum) ? `at least ${minimum}` : '',
    isBound(maximum) ? `at most ${maximum}` : '',
    multipleOf ? `a multiple of ${multipleOf}` : '',
  ].filter(text => text !== '');
  return [kind, bounds.join(', ')].filter(text => text !== '').join(': ');
}

function row(path: readonly string[], may: string, fallback: string, meaning: string): string {
  const cells = [`\`${path.join('.')}\``, may, fallback, meaning].map(cell =>
    cell.replaceAll('|', '\\|').replaceAll('\n', ' '),
  );
  return `| ${cells.join(' | ')} |`;
}

/** Whole numbers have the greatest safe ones as bounds where nobody gave any. */
function isBound(bound: number | undefined): boolean {
  return bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
}
