import type { ComponentInventory } from '../../kernels/inventory/index.ts';
import { inGibibytes } from '../../kernels/inventory/index.ts';
import type { Finding } from './finding.ts';

/** Names of a kind that are written out; of more, how many there are. */
const MOST_NAMED = 5;

/** What the headers of a component's files say: whether it can be loaded, with how much memory, and all that does not fit. */
export function weightsFinding(inventory: ComponentInventory, hasBytes: number): Finding {
  const { component, refused, tensors, storedBytes } = inventory;
  const what = `weights: ${component}`;
  if (refused) return { what, found: 'refused', meaning: refused.message };
  const found = `${tensors} tensors, ${inGibibytes(storedBytes)}`;
  const faults = faultsOf(inventory);
  const surplus = surplusOf(inventory);
  if (faults.length > 0)
    return { what, found, meaning: `cannot be loaded: ${[...faults, ...surplus].join('; ')}` };
  return { what, found, meaning: ['all there', memoryOf(inventory, hasBytes), ...surplus].join('; ') };
}

function faultsOf({ comparison }: ComponentInventory): string[] {
  const { missing, misshapen, mistyped, misnamed } = comparison;
  const wanted = new Map(misnamed.map(({ found, wanted }) => [wanted, found]));
  const gone = missing.map(name => (wanted.has(name) ? `${name} (named ${wanted.get(name)}?)` : name));
  const shapes = misshapen.map(
    ({ name, found, expected }) => `${name} is ${found.join('×')}, not ${expected.join('×')}`,
  );
  const types = mistyped.map(({ name, type }) => `${name} is ${type}`);
  return [
    ...listOf('missing', gone),
    ...listOf('of another shape', shapes),
    ...listOf('of a type that is not read', types),
  ];
}

const surplusOf = ({ comparison: { surplus } }: ComponentInventory): string[] =>
  listOf('surplus, read by nobody', surplus);

function listOf(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const rest = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return [`${names.length} ${what}: ${names.slice(0, MOST_NAMED).join(', ')}${rest}`];
}

function memoryOf(inventory: ComponentInventory, hasBytes: number): string {
  const { memoryBytes, cacheBytesPerPosition: perPosition, maxPositions = 0 } = inventory;
  const fits = memoryBytes <= hasBytes ? '' : `, more than the ${inGibibytes(hasBytes)} of this machine`;
  const cache = perPosition
    ? ` and up to ${inGibibytes(perPosition * maxPositions)} of cache per conversation of ${maxPositions} positions`
    : '';
  return `needs ${inGibibytes(memoryBytes)}${fits}${cache}`;
}
