import { RuntimeError } from '../errors.ts';
import type { Channel } from './channel.ts';
import type { EngineKind } from './engine.ts';
import { ENGINE_COMPONENTS, type EngineComponent } from './lifecycle.ts';
import { cudaDevice, fastestEngine, opsOf } from './ops-of.ts';
import type { SupervisedChannel } from './supervised-channels.ts';

/** The way to a component on another host; it may be lost and found again. */
type OpenRemote = (component: EngineComponent) => Promise<Channel<never, never> & SupervisedChannel>;

/** Where single components are: served here by kernels of a kind, or elsewhere, and then how they are reached. */
export type Places = Partial<Record<EngineComponent, EngineKind | OpenRemote>>;

/** Components that have kernels for a device (docs/cuda.md); the others compute on the processor beside it. */
const ON_DEVICE: readonly EngineComponent[] = [
  'languageModel',
  'audioEncoder',
  'visionEncoder',
  'ganDecoder',
];

/**
 * What serves each component: what `place` says of it, else the engine's kind. As the engine's kind, `cuda` means for a
 * component without kernels for a device the fastest kind that the processor has.
 *
 * @throws RuntimeError `engine.place` where such a component is placed on the device by name, or where there is no
 * component of a name
 */
export function kindsOf(kind: EngineKind, place: Places): Record<EngineComponent, EngineKind> {
  const unknown = Object.keys(place).find(name => !(ENGINE_COMPONENTS as readonly string[]).includes(name));
  if (unknown !== undefined) {
    const remedy = `There are: ${ENGINE_COMPONENTS.join(', ')}.`;
    throw new RuntimeError('engine.place', 'There is no such component.', { component: unknown }, remedy);
  }
  const entries = ENGINE_COMPONENTS.map(component => [component, kindOf(component, kind, place[component])]);
  return Object.fromEntries(entries) as Record<EngineComponent, EngineKind>;
}

function kindOf(component: EngineComponent, kind: EngineKind, place: Places[EngineComponent]): EngineKind {
  if (typeof place === 'function') return 'remote';
  if ((place ?? kind) !== 'cuda' || ON_DEVICE.includes(component)) return place ?? kind;
  if (place === undefined) return fastestEngine().kind;
  const remedy = `There are such kernels for: ${ON_DEVICE.join(', ')}.`;
  throw new RuntimeError(
    'engine.place',
    'The component has no kernels for a device.',
    { component, place },
    remedy,
  );
}

/** Refuses here rather than in five threads. @throws RuntimeError `engine.unavailable` */
export function checkKind(kind: EngineKind): void {
  if (kind === 'cuda') cudaDevice();
  else opsOf(kind);
}
