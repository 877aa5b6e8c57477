import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../errors.ts';
import type { Ops } from '../ops.ts';
import { loadTokenizer } from '../tokenizer/index.ts';
import { AbsentComponent } from './absent-component.ts';
import { type Channel, InlineChannel } from './channel.ts';
import { ComponentFront } from './component-front.ts';
import { describeModel } from './describe-model.ts';
import type { Engine, EngineKind } from './engine.ts';
import { ENGINE_COMPONENTS, type EngineComponent } from './lifecycle.ts';
import { cudaDevice, growPool, opsOf } from './ops-of.ts';
import type { ServiceModule, StreamOf } from './service.ts';
import type { ServiceOptions, WeightStorage } from './services/options.ts';
import { Standby } from './standby.ts';
import { type SupervisedChannel, supervisedChannels } from './supervised-channels.ts';
import { WorkerChannel } from './worker-channel.ts';
import type { ServiceStart } from './worker-protocol.ts';

export interface EngineOptions {
  readonly kind: EngineKind;
  /** Layout of docs/spec/model.md §11. Components whose directory is missing are absent. */
  readonly modelDirectory: string;
  /** `workers`: one thread per component, off the event loop. `inline`: in this thread, inside the call; same bits. */
  readonly placement?: 'workers' | 'inline';
  /** In place of the kernels of `kind`, to watch or to change them; needs `placement: 'inline'`, since functions do not cross to a worker. */
  readonly ops?: Ops;
  /** Threads that a kernel of the `cpu` engine may use, all components and sessions together; the reference uses one. */
  readonly threads?: number;
  /** Expert ranks of the language model beside its own thread; 0 (default): none. Same bits. */
  readonly ranks?: number;
  /** How the language model's matrices are held; `stored` (default): as the checkpoint has them. */
  readonly weights?: WeightStorage;
  /** One more thread, with every component loaded, that takes over at once where one fails; needs `placement: 'workers'`. Without `ranks` only. */
  readonly standby?: boolean;
  /** Other modules than the engine's own to serve the components in their threads: to watch them, or to disturb them (`bench faults`). */
  readonly serviceOf?: (component: EngineComponent, own: ServiceStart) => ServiceStart;
  /** Components that are elsewhere: how each is reached. Their weights are not loaded here. */
  readonly remote?: Partial<Record<EngineComponent, OpenRemote>>;
  /** The components to load; absent: all that are there. */
  readonly components?: readonly EngineComponent[];
  /** Steps of one component accepted and not yet answered. */
  readonly maxOutstandingSteps?: number;
}

/** The way to a component on another host; it may be lost and found again. */
export type OpenRemote = (component: EngineComponent) => Promise<Channel<never, never> & SupervisedChannel>;

const DEFAULT_OUTSTANDING_STEPS = 64;

/** The sources run from `.ts` files, what they were compiled to from `.js` files. */
const CODE_SUFFIX = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/** Each component: the module that serves it, and the file without which it is absent. */
const COMPONENTS = {
  languageModel: {
    stem: 'language-model',
    needs: 'config.json',
    load: () => import('./services/language-model.ts'),
  },
  audioEncoder: {
    stem: 'audio-encoder',
    needs: 'audio/config.json',
    load: () => import('./services/audio-encoder.ts'),
  },
  visionEncoder: {
    stem: 'vision-encoder',
    needs: 'vision/config.json',
    load: () => import('./services/vision-encoder.ts'),
  },
  speechTokenizer: {
    stem: 'speech-tokenizer',
    needs: 'audio_codec/encoder.safetensors',
    load: () => import('./services/speech-tokenizer.ts'),
  },
  ganDecoder: {
    stem: 'gan-decoder',
    needs: 'audio_codec/decoder.safetensors',
    load: () => import('./services/gan-decoder.ts'),
  },
} as const satisfies Record<EngineComponent, object>;

/**
 * Loads a model directory; resolves when every component that is there is ready.
 * @throws (rejects) RuntimeError `engine.unavailable`, `engine.ops`, and what loading throws (`config.*`, `weights.*`, `tokenizer.*`)
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { kind } = options;
  // Refused here rather than in five threads.
  if (kind === 'cuda') cudaDevice();
  opsOf(kind);
  const { modelDirectory, threads = 1, ranks = 0, weights = 'stored', placement = 'workers', ops } = options;
  if (ops && placement !== 'inline')
    throw new RuntimeError(
      'engine.ops',
      'Kernels of the caller run in its own thread only.',
      { placement },
      "Use placement: 'inline'.",
    );
  if (kind === 'cpu' || kind === 'cuda') growPool(threads);
  const tokenizer = loadTokenizer(modelDirectory);
  const model = describeModel(modelDirectory);
  const limits = { maxOutstandingSteps: options.maxOutstandingSteps ?? DEFAULT_OUTSTANDING_STEPS };
  const service: ServiceOptions = { kind, modelDirectory, ranks, weights, ...(ops && { ops }) };
  const { remote = {}, components: wanted = ENGINE_COMPONENTS } = options;
  const names = wanted
    .filter(name => !remote[name])
    .filter(name => existsSync(join(modelDirectory, COMPONENTS[name].needs)));
  const starts = new Map(names.map(name => [name, startOf(name, service, options)]));
  const standby = options.standby && placement === 'workers' && ranks === 0 ? standbyFor(starts) : null;
  const channels: Channel<never, never>[] = [];
  const supervised = new Map<EngineComponent, SupervisedChannel>();

  const open = async (name: EngineComponent) => {
    const { stem, needs, load } = COMPONENTS[name];
    const start = starts.get(name);
    const openRemote = remote[name];
    if (!start && !openRemote) return new AbsentComponent(stem, needs);
    const { streamOf, loadService } = (await load()) as unknown as LoadedModule;
    let channel: Channel<never, never>;
    if (placement === 'inline' && !openRemote) channel = new InlineChannel(loadService(service), streamOf);
    else {
      const apart = await (openRemote?.(name) ?? WorkerChannel.open<never, never>(stem, start!, standby));
      supervised.set(name, apart);
      channel = apart;
    }
    channels.push(channel);
    return new ComponentFront(stem, channel, streamOf, limits);
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
  standby?.prepare(); // After the components, which are waited for.
  const components = Object.fromEntries(
    opened.map((result, i) => [ENGINE_COMPONENTS[i], result.status === 'fulfilled' ? result.value : null]),
  ) as unknown as Pick<Engine, EngineComponent>;
  const lifecycle = supervised.size > 0 ? { lifecycle: supervisedChannels(supervised, standby) } : {};
  return { kind, model, tokenizer, ...components, ...lifecycle, close: closeAll };
}

/** Which stream a work of the component belongs to, for whoever passes works on. */
export async function streamOfComponent(name: EngineComponent): Promise<StreamOf<object>> {
  return ((await COMPONENTS[name].load()) as unknown as { streamOf: StreamOf<object> }).streamOf;
}

type LoadedModule = ServiceModule<never, never, ServiceOptions>;

function startOf(
  name: EngineComponent,
  service: ServiceOptions,
  { serviceOf = (_, own) => own }: EngineOptions,
): ServiceStart {
  const { ops: _, ...crossing } = service;
  const entry = new URL(`./services/${COMPONENTS[name].stem}${CODE_SUFFIX}`, import.meta.url).href;
  return serviceOf(name, { entry, options: crossing });
}

/** By the names of the threads, as their channels ask for them. */
function standbyFor(starts: ReadonlyMap<EngineComponent, ServiceStart>): Standby {
  return new Standby(Object.fromEntries([...starts].map(([name, start]) => [COMPONENTS[name].stem, start])));
}
