/** An engine whose components are partly on other hosts (docs/elsewhere.md). */
import { randomUUID } from 'node:crypto';
import { RealClock } from '../actors/core/index.ts';
import {
  createEngine,
  type Engine,
  type EngineComponent,
  type EngineOptions,
} from '../kernels/engine/index.ts';
import { type Bus, connectNats, RemoteChannel } from '../kernels/engine/remote/index.ts';
import { modelHash } from './replay/model-hash.ts';

/**
 * `place`: `COMPONENT=nats://HOST:PORT`.
 * @throws (rejects) RuntimeError `remote.no-bus`, `remote.no-host`, `remote.other-model`, and what createEngine throws
 */
export async function placedEngine(local: EngineOptions, place: readonly string[]): Promise<Engine> {
  const buses = new Map<string, Bus>();
  const closeBuses = async () => void (await Promise.all([...buses.values()].map(bus => bus.close())));
  const timers = new RealClock();
  const model = { name: local.modelDirectory, hash: modelHash(local.modelDirectory) };
  const remote: EngineOptions['remote'] = {};
  try {
    for (const entry of place) {
      const [name, url] = entry.split(/=(.*)/, 2) as [EngineComponent, string];
      const bus = buses.get(url) ?? (await connectNats(url));
      buses.set(url, bus);
      remote[name] = component =>
        RemoteChannel.open({ component, model, bus, timers, newId: () => randomUUID() });
    }
    const engine = await createEngine({ ...local, remote });
    return { ...engine, close: () => engine.close().then(closeBuses) };
  } catch (error) {
    await closeBuses();
    throw error;
  }
}
