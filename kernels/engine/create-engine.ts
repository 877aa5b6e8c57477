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
import { growPool, opsOf } from './ops-of.ts';
import type { ServiceModule } from './service.ts';
import type { ServiceOptions, WeightStorage } from './services/options.ts';
import { WorkerChannel } from './worker-channel.ts';

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
  /** Steps of one component accepted and not yet answered. */
  readonly maxOutstandingSteps?: number;
}

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
} as const;

type ComponentName = keyof typeof COMPONENTS;

/**
 * Loads a model directory; resolves when every component that is there is ready.
 * @throws (rejects) RuntimeError `engine.unavailable`, `engine.ops`, and what loading throws (`config.*`, `weights.*`, `tokenizer.*`)
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { kind } = options;
  opsOf(kind); // Refuses here rather than in five threads.
  const { modelDirectory, threads = 1, ranks = 0, weights = 'stored', placement = 'workers', ops } = options;
  if (ops && placement !== 'inline')
    throw new RuntimeError(
      'engine.ops',
      'Kernels of the caller run in its own thread only.',
      { placement },
      "Use placement: 'inline'.",
    );
  if (kind === 'cpu') growPool(threads);
  const tokenizer = loadTokenizer(modelDirectory);
  const model = describeModel(modelDirectory);
  const limits = { maxOutstandingSteps: options.maxOutstandingSteps ?? DEFAULT_OUTSTANDING_STEPS };
  const service: ServiceOptions = { kind, modelDirectory, ranks, weights, ...(ops && { ops }) };
  const channels: Channel<never, never>[] = [];

  const open = async (name: ComponentName) => {
    const { stem, needs, load } = COMPONENTS[name];
    if (!existsSync(join(modelDirectory, needs))) return new AbsentComponent(stem, needs);
    const { streamOf, loadService } = (await load()) as unknown as ServiceModule<
      never,
      never,
      ServiceOptions
    >;
    const entry = new URL(`./services/${stem}${CODE_SUFFIX}`, import.meta.url).href;
    const channel: Channel<never, never> =
      placement === 'inline'
        ? new InlineChannel(loadService(service), streamOf)
        : await WorkerChannel.open(stem, { entry, options: service });
    channels.push(channel);
    return new ComponentFront(stem, channel, streamOf, limits);
  };
  const closeAll = () => Promise.all(channels.map(channel => channel.close()));

  const names = Object.keys(COMPONENTS) as ComponentName[];
  const opened = await Promise.allSettled(names.map(open));
  const failed = opened.find(result => result.status === 'rejected');
  if (failed) {
    await closeAll();
    throw failed.reason;
  }
  const components = Object.fromEntries(
    opened.map((result, i) => [names[i], result.status === 'fulfilled' ? result.value : null]),
  ) as unknown as Pick<Engine, ComponentName>;
  return {
    kind,
    model,
    tokenizer,
    ...components,
    close: async () => {
      await closeAll();
    },
  };
}
