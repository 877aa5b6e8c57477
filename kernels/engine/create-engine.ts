import { RuntimeError } from '../errors.ts';
import type { Ops } from '../ops.ts';
import type { CacheType } from '../tensor-memory.ts';
import { loadTokenizer } from '../tokenizer/index.ts';
import { AbsentComponent } from './absent-component.ts';
import { type Channel, InlineChannel } from './channel.ts';
import { ComponentFront } from './component-front.ts';
import { componentsOf, fileOf, loadModule, serviceStart, setupOf, stemOf } from './component-modules.ts';
import { describeModel } from './describe-model.ts';
import type { Engine, EngineKind } from './engine.ts';
import { ENGINE_COMPONENTS, type EngineComponent } from './lifecycle.ts';
import { growPool } from './ops-of.ts';
import { checkKind, kindsOf, type Places } from './place.ts';
import type { ServiceOptions, WeightStorage } from './services/options.ts';
import { Standby } from './standby.ts';
import { type SupervisedChannel, supervisedChannels } from './supervised-channels.ts';
import { UnpackingVisionEncoder } from './unpacking-vision-encoder.ts';
import { WorkerChannel } from './worker-channel.ts';
import type { ServiceStart } from './worker-protocol.ts';

export interface EngineOptions {
  /** What serves the components of which `place` says nothing. */
  readonly kind: EngineKind;
  /**
   * Components that other kernels serve than those of `kind`, and those that are elsewhere: their weights are not
   * loaded here.
   */
  readonly place?: Places;
  /** Layout of docs/spec/model.md §11. Components whose files are missing are absent. */
  readonly modelDirectory: string;
  /** The components compute in this thread, inside the call; otherwise each has a thread of its own. Same bits. */
  readonly inline?: boolean;
  /**
   * In place of the kernels of every kind, to watch or to change them; needs `inline`, since functions do not cross to
   * a thread.
   */
  readonly ops?: Ops;
  /**
   * Threads that a kernel of the `cpu` engine may use, all components and sessions together; the reference uses one.
   */
  readonly threads?: number;
  /** Expert ranks of the language model beside its own thread; 0 (default): none. Same bits. */
  readonly ranks?: number;
  /** How the language model's matrices are held; `stored` (default): as the checkpoint has them. */
  readonly weights?: WeightStorage;
  /** How its cache is held; absent: by the size of a context (`cacheTypeFor`). */
  readonly cache?: CacheType;
  /**
   * One more thread, with every component loaded, that takes over at once where one fails, as soon as the lifecycle
   * is asked for it; not with `inline` or `ranks`.
   */
  readonly standby?: boolean;
  /**
   * Other modules than the engine's own to serve the components in their threads: to watch them, or to disturb them
   * (`bench faults`).
   */
  readonly serviceOf?: (component: EngineComponent, own: ServiceStart) => ServiceStart;
  /** The components to load; absent: all that are there. */
  readonly components?: readonly EngineComponent[];
  /** Steps of one component accepted and not yet answered. */
  readonly maxOutstandingSteps?: number;
}

const DEFAULT_OUTSTANDING_STEPS = 64;

/**
 * Loads a model directory; resolves when every component that is there is ready.
 * @throws (rejects) RuntimeError `engine.unavailable`, `engine.place`, `engine.ops`, and what loading throws
 * (`config.*`, `weights.*`, `tokenizer.*`)
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { kind, modelDirectory, inline = false, ranks = 0 } = options;
  const services = servicesOf(options);
  const tokenizer = loadTokenizer(modelDirectory);
  const model = describeModel(modelDirectory);
  const starts = new Map([...services].map(([name, service]) => [name, startOf(name, service, options)]));
  const standby = options.standby && !inline && ranks === 0 ? standbyFor(starts) : null;
  const channels: Channel<never, never>[] = [];
  const supervised = new Map<EngineComponent, SupervisedChannel>();

  const channelOf = async (name: EngineComponent): Promise<Channel<never, never> | null> => {
    const place = options.place?.[name];
    const service = services.get(name);
    if (!service && typeof place !== 'function') return null;
    if (inline && service) {
      const { loadService, streamOf } = await loadModule(name);
      return new InlineChannel(loadService(service), streamOf);
    }
    const opening =
      typeof place === 'function'
        ? place(name)
        : WorkerChannel.open(stemOf(name), starts.get(name)!, standby);
    const apart = (await opening) as Channel<never, never> & SupervisedChannel;
    supervised.set(name, apart);
    return apart;
  };
  const open = async (name: EngineComponent) => {
    const channel = await channelOf(name);
    if (!channel) return new AbsentComponent(stemOf(name), fileOf(name));
    channels.push(channel);
    const limits = { maxOutstandingSteps: options.maxOutstandingSteps ?? DEFAULT_OUTSTANDING_STEPS };
    return new ComponentFront(stemOf(name), channel, (await loadModule(name)).streamOf, limits);
  };
  const closeAll = async () => {
    await Promise.all([standby?.close(), ...channels.map(channel => channel.close())]);
  };

  const opened = await Promise.allSettled(ENGINE_COMPONENTS.map(open));
  const failed = opened.find(result => result.status === 'rejected');
  if (failed) {
    await closeAll();
    throw failed.reason;
  }
  const components = Object.fromEntries(
    opened.map((result, i) => [ENGINE_COMPONENTS[i], result.status === 'fulfilled' ? result.value : null]),
  ) as unknown as Pick<Engine, EngineComponent>;
  const { visionEncoder, ...others } = components;
  const unpacking = new UnpackingVisionEncoder(visionEncoder, model.maxPicturePixels ?? 0);
  const lifecycle = supervised.size > 0 ? { lifecycle: supervisedChannels(supervised, standby) } : {};
  return { kind, model, tokenizer, ...others, visionEncoder: unpacking, ...lifecycle, close: closeAll };
}

/** The components that are served here, and what each is loaded from. */
function servicesOf(options: EngineOptions): Map<EngineComponent, ServiceOptions> {
  const {
    kind,
    place = {},
    modelDirectory,
    inline = false,
    ops,
    ranks = 0,
    weights = 'stored',
    cache,
  } = options;
  if (ops && !inline)
    throw new RuntimeError(
      'engine.ops',
      'Kernels of the caller run in its own thread only.',
      { inline },
      'Use inline: true.',
    );
  const kinds = kindsOf(kind, place);
  const isHere = (name: EngineComponent) => typeof place[name] !== 'function';
  const wanted = (options.components ?? ENGINE_COMPONENTS).filter(isHere);
  for (const used of new Set(wanted.map(name => kinds[name]))) checkKind(used);
  if (wanted.some(name => kinds[name] === 'cpu')) growPool(options.threads ?? 1);
  const there = componentsOf(modelDirectory);
  const entries = wanted
    .filter(name => there.includes(name))
    .map(name => {
      const setup = setupOf(name, modelDirectory);
      const service = {
        ...{ kind: kinds[name], modelDirectory, setup, ranks, weights },
        ...(cache && { cache }),
        ...(ops && { ops }),
      };
      return [name, service] as const;
    });
  return new Map(entries);
}

function startOf(
  name: EngineComponent,
  { ops: _, ...crossing }: ServiceOptions,
  { serviceOf = (_, own) => own }: EngineOptions,
): ServiceStart {
  return serviceOf(name, serviceStart(name, crossing));
}

/** By the names of the threads, as their channels ask for them. */
function standbyFor(starts: ReadonlyMap<EngineComponent, ServiceStart>): Standby {
  return new Standby(Object.fromEntries([...starts].map(([name, start]) => [stemOf(name), start])));
}
