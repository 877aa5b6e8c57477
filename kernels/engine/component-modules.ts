import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAudioEncoderConfig } from '../components/audio-encoder/config.ts';
import { readGanDecoderConfig } from '../components/codec-config.ts';
import { readLanguageModelSetup } from '../components/language-model/config.ts';
import { readSpeechTokenizerSetup } from '../components/speech-tokenizer/load.ts';
import { readVisionConfig } from '../components/vision-encoder/config.ts';
import { ENGINE_COMPONENTS, type EngineComponent } from './lifecycle.ts';
import type { ServiceModule, StreamOf } from './service.ts';
import type { ServiceOptions } from './services/options.ts';
import type { ServiceStart } from './worker-protocol.ts';

/** The sources run from `.ts` files, what they were compiled to from `.js` files. */
const CODE_SUFFIX = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/**
 * Each component: the module that serves it, the file without which the model has none, and what the files say of it.
 */
const MODULES = {
  languageModel: {
    stem: 'language-model',
    needs: 'config.json',
    setup: readLanguageModelSetup,
    load: () => import('./services/language-model.ts'),
  },
  audioEncoder: {
    stem: 'audio-encoder',
    needs: 'audio/config.json',
    setup: readAudioEncoderConfig,
    load: () => import('./services/audio-encoder.ts'),
  },
  visionEncoder: {
    stem: 'vision-encoder',
    needs: 'vision/config.json',
    setup: readVisionConfig,
    load: () => import('./services/vision-encoder.ts'),
  },
  speechTokenizer: {
    stem: 'speech-tokenizer',
    needs: 'audio_codec/encoder.safetensors',
    setup: readSpeechTokenizerSetup,
    load: () => import('./services/speech-tokenizer.ts'),
  },
  ganDecoder: {
    stem: 'gan-decoder',
    needs: 'audio_codec/decoder.safetensors',
    setup: readGanDecoderConfig,
    load: () => import('./services/gan-decoder.ts'),
  },
} as const satisfies Record<EngineComponent, object>;

export type ComponentModule = ServiceModule<never, never, ServiceOptions>;

/** As threads, errors and files call the component. */
export const stemOf = (name: EngineComponent): string => MODULES[name].stem;

/** The file of the model directory without which the model has no such component. */
export const fileOf = (name: EngineComponent): string => MODULES[name].needs;

/** `ServiceOptions.setup`. @throws RuntimeError `config.*` */
export const setupOf = (name: EngineComponent, modelDirectory: string): unknown =>
  MODULES[name].setup(modelDirectory);

export function loadModule(name: EngineComponent): Promise<ComponentModule> {
  return MODULES[name].load() as unknown as Promise<ComponentModule>;
}

/** The components that a model directory has. */
export function componentsOf(modelDirectory: string): EngineComponent[] {
  return ENGINE_COMPONENTS.filter(name => existsSync(join(modelDirectory, fileOf(name))));
}

/** How the component's module is started in a thread. Functions do not cross to it. */
export function serviceStart(name: EngineComponent, options: Omit<ServiceOptions, 'ops'>): ServiceStart {
  return { entry: new URL(`./services/${stemOf(name)}${CODE_SUFFIX}`, import.meta.url).href, options };
}

/** Which stream a work of the component belongs to, for whoever passes works on. */
export async function streamOfComponent(name: EngineComponent): Promise<StreamOf<object>> {
  return ((await loadModule(name)) as unknown as { streamOf: StreamOf<object> }).streamOf;
}
