import { RuntimeError } from '../errors.ts';
import type { Channel } from './channel.ts';
import type { EngineKind } from './engine.ts';
import { ENGINE_COMPONENTS, type EngineComponent } from './lifecycle.ts';
import { cudaDevice, opsOf } from './ops-of.ts';
import type { SupervisedChannel } from './supervised-channels.ts';

/** The way to a component on another host; it may be lost and found again. */
type OpenRemote = (component: EngineComponent) => Promise<Channel<never, never> & SupervisedChannel>;

/** Where single components are: served here by kernels of a kind, or elsewhere, and then how they are reached. */
export type Places = Partial<Record<EngineComponent, EngineKind | OpenRemote>>;

/**
 * What serves each component: what `place` says of it, else the engine's kind.
 * @throws RuntimeError `engine.place` where there is no component of a name
 */
export function kindsOf(kind: EngineKind, place: Places): Record<EngineComponent, EngineKind> {
  const unknown = Object.keys(place).find(name => !(ENGINE_COMPONENTS as readonly string[]).includes(name));
  if (unknown !== undefined) {
    const remedy = `There are: ${ENGINE_COMPONENTS.join(', ')}.`;
    throw new RuntimeError('engine.place', 'There is no such component.', { component: unknown }, remedy);
  }
  const entries = ENGINE_COMPONENTS.map(component => {
    const placed = place[component] ?? kind;
    return [component, typeof placed === 'function' ? 'remote' : placed];
  });
  return Object.fromEntries(entries) as Record<EngineComponent, EngineKind>;
}

/** Refuses here rather than in five threads. @throws RuntimeError `engine.unavailable` */
export function checkKind(kind: EngineKind): void {
  if (kind === 'cuda') cudaDevice();
  else opsOf(kind);
}
