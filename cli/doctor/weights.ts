import type { ComponentInventory } from '../../kernels/inventory/index.ts';
import { inGibibytes } from '../../kernels/inventory/index.ts';
import type { EngineComponent } from '../../kernels/engine/index.ts';
import { addressesByComponent, sglangAddresses } from '../place.ts';
import type { Finding } from './finding.ts';

/** Names of a kind that are written out; of more, how many there are. */
const MOST_NAMED = 5;

/**
 * What the headers of a component's files say: whether it can be loaded, with how much memory, and all that does not
 * fit.
 */
export function weightsFinding(
  inventory: ComponentInventory,
  hasBytes: number,
  place: WeightsPlace = 'here',
): Finding {
  const { component, refused, tensors, storedBytes } = inventory;
  const what = `weights: ${component}`;
  if (refused) return { what, found: 'refused', meaning: refused.message };
  const found = `${tensors} tensors, ${inGibibytes(storedBytes)}`;
  const faults = faultsOf(inventory);
  const surplus = surplusOf(inventory);
  if (faults.length > 0)
    return { what, found, meaning: `cannot be loaded: ${[...faults, ...surplus].join('; ')}` };
  const memory = place === 'here' ? memoryOf(inventory, hasBytes) : memoryElsewhere(inventory, place);
  return { what, found, meaning: ['all there', memory, ...surplus].join('; ') };
}

/** Who loads them: this process, a host on NATS, or an SGLang server. */
export type WeightsPlace = 'here' | 'host' | 'sglang';

const COMPONENTS: Readonly<Record<string, EngineComponent>> = {
  'language model': 'languageModel',
  'audio encoder': 'audioEncoder',
  'vision encoder': 'visionEncoder',
  'audio decoder': 'ganDecoder',
  'speech tokenizer': 'speechTokenizer',
};

/** @param component as the inventory calls it @param place the setting */
export function weightsPlace(component: string, place: readonly string[]): WeightsPlace {
  const address = addressesByComponent(place)[COMPONENTS[component]];
  if (address === undefined) return 'here';
  return sglangAddresses(place).length > 0 && component === 'language model' ? 'sglang' : 'host';
}

/** Devices of the makers' two ways to serve it (docs/spec/remote.md §1). */
const DEVICES = [8, 16];

function memoryElsewhere(inventory: ComponentInventory, place: WeightsPlace): string {
  const { storedBytes, memoryBytes, tableBytes = 0 } = inventory;
  if (place === 'host') return `its host needs ${inGibibytes(memoryBytes)}; nothing here`;
  const each = DEVICES.map(count => `${inGibibytes(storedBytes / count)} on each of ${count}`).join(', ');
  return `needs ${inGibibytes(tableBytes)} here, for the tables of what it reads; at the server ${each} devices, and its cache`;
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
