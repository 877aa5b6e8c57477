/**
 * Where the components of the engine are: the setting `place`, an entry `COMPONENT=cpu`, `=reference`, `=cuda`,
 * `=nats://HOST:PORT` or `=sglang+http://HOST:PORT`.
 */
import { randomUUID } from 'node:crypto';
import { nameOf, RealClock } from '../actors/core/index.ts';
import {
  createEngine,
  ENGINE_COMPONENTS,
  type Engine,
  type EngineComponent,
  type EngineKind,
  type EngineOptions,
  fastestEngine,
  kindsOf,
  opsOf,
  type Places,
  streamOfComponent,
} from '../kernels/engine/index.ts';
import {
  type Bus,
  connectNats,
  RemoteChannel,
  type RemoteChannelOptions,
  withoutSecret,
} from '../kernels/engine/remote/index.ts';
import { SglangChannel } from '../kernels/engine/sglang/index.ts';
import { Embedder } from '../kernels/components/language-model/index.ts';
import { modelHash } from './replay/model-hash.ts';

interface Placement {
  readonly component: EngineComponent;
  /** A kind of kernels, or an address. */
  readonly at: string;
}

function entryOf(entry: string): Placement {
  const [component, at] = entry.split(/=(.*)/, 2);
  return { component: component as EngineComponent, at };
}

const SGLANG = 'sglang+';

/** The addresses of the SGLang servers that serve the language model; empty: none does. */
export function sglangAddresses(place: readonly string[]): string[] {
  const there = place.map(entryOf).filter(({ at }) => at.startsWith(SGLANG));
  return there.map(({ at }) => at.slice(SGLANG.length).replace(/\/$/, ''));
}

const isAddress = (at: string): boolean => at.includes('://');

/** The entries that name kernels of this process; they tell nothing secret and nothing of other hosts. */
export function placedHere(place: readonly string[]): string[] {
  return place.filter(entry => !isAddress(entryOf(entry).at));
}

export function kindsByComponent(place: readonly string[]): Partial<Record<EngineComponent, EngineKind>> {
  const entries = placedHere(place).map(entryOf);
  return Object.fromEntries(entries.map(({ component, at }) => [component, at as EngineKind]));
}

const elsewhere = (place: readonly string[]): Placement[] =>
  place.map(entryOf).filter(({ at }) => isAddress(at));

/** Those that hosts on NATS serve. */
export const onNats = (place: readonly string[]): Placement[] =>
  elsewhere(place).filter(({ at }) => !at.startsWith(SGLANG));

/** The addresses of those that are elsewhere, without user and password. */
export function addressesByComponent(place: readonly string[]): Partial<Record<EngineComponent, string>> {
  const addresses = new Map<EngineComponent, string[]>();
  for (const { component, at } of elsewhere(place))
    addresses.set(component, [...(addresses.get(component) ?? []), withoutSecret(at)]);
  return Object.fromEntries([...addresses].map(([component, all]) => [component, all.join(', ')]));
}

/** For `/topology`: where each component is, by the names that people read. */
export function servingOf(
  kind: EngineKind,
  place: readonly string[],
): ReadonlyMap<string, { readonly by: string; readonly at?: string }> {
  const kinds = kindsOf(kind, kindsByComponent(place));
  const addresses = addressesByComponent(place);
  const entries = ENGINE_COMPONENTS.map(component => {
    const at = addresses[component];
    const by = at === undefined ? kinds[component] : at.startsWith(SGLANG) ? 'sglang' : 'nats';
    return [nameOf(component), { by, ...(at !== undefined && { at }) }] as const;
  });
  return new Map(entries);
}

/** For people, without user and password: `ganDecoder by reference`, `languageModel at nats://host:4222`. */
export function describePlace(entry: string): string {
  const { component, at } = entryOf(entry);
  return `${component} ${isAddress(at) ? 'at' : 'by'} ${withoutSecret(at)}`;
}

/** Of what is on another host. */
export interface PlacingOptions {
  readonly sglangVectors: 'bf16' | 'f32';
  /** A host of a component came or was lost. */
  readonly onHost?: RemoteChannelOptions['onHost'];
  readonly onHop?: RemoteChannelOptions['onHop'];
}

/**
 * @param place entries as the schema lets them through
 * @throws (rejects) RuntimeError `remote.no-bus`, `remote.no-host`, `remote.other-model`, `sglang.down`, and what
 * createEngine throws
 */
export async function placedEngine(
  options: Omit<EngineOptions, 'place'>,
  place: readonly string[],
  placing: PlacingOptions,
): Promise<Engine> {
  const { onHop, onHost } = placing;
  const remote = elsewhere(place);
  const here = kindsByComponent(place);
  if (remote.length === 0) return createEngine({ ...options, place: here });
  const buses = new Map<string, Bus>();
  const closeBuses = async () => void (await Promise.all([...buses.values()].map(bus => bus.close())));
  const timers = new RealClock();
  const places: Places = { ...here };
  const servers = sglangAddresses(place);
  try {
    if (servers.length > 0) places.languageModel = languageModelAt(servers, options, timers, placing);
    const overNats = onNats(place);
    const model = {
      name: options.modelDirectory,
      hash: overNats.length > 0 ? modelHash(options.modelDirectory) : '',
    };
    for (const { component, at } of overNats) {
      const bus = buses.get(at) ?? (await connectNats(at));
      buses.set(at, bus);
      const streamOf = await streamOfComponent(component);
      const newId = () => randomUUID();
      places[component] = () =>
        RemoteChannel.open({ component, model, bus, timers, newId, streamOf, onHop, onHost });
    }
    const engine = await createEngine({ ...options, place: places });
    return { ...engine, close: () => engine.close().then(closeBuses) };
  } catch (error) {
    await closeBuses();
    throw error;
  }
}

/**
 * The tables for what it reads are loaded here, with the fastest kernels there are for a place without kernels of its
 * own.
 */
function languageModelAt(
  addresses: readonly string[],
  { kind, modelDirectory }: Omit<EngineOptions, 'place'>,
  timers: RealClock,
  { sglangVectors, onHost }: PlacingOptions,
): Places['languageModel'] {
  const ops = opsOf(kind === 'reference' ? 'reference' : fastestEngine().kind);
  const open = () => {
    const embedder = Embedder.load(modelDirectory, ops);
    return SglangChannel.open({
      ...{ addresses, embedder, timers, newId: () => randomUUID() },
      settings: { vectors: sglangVectors },
      onServer: (address, what, why) => onHost?.('languageModel', address, what, why),
    });
  };
  return open as Places['languageModel'];
}
