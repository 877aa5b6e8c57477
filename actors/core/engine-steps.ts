import type { Engine, EngineComponent, LanguageModelEngine } from '../../kernels/engine/index.ts';

export { ENGINE_COMPONENTS, type EngineComponent } from '../../kernels/engine/index.ts';

/** For faces of a language model: the mark of one whose replies another server makes goes through all of them. */
export function endReplyOf(languageModel: LanguageModelEngine): Pick<LanguageModelEngine, 'endReply'> {
  return languageModel.endReply ? { endReply: sequence => languageModel.endReply?.(sequence) } : {};
}

/** The same engine with every step passed through `around`. */
export function engineWithSteps(
  engine: Engine,
  around: <Work, Answer>(
    component: EngineComponent,
    batch: readonly Work[],
    step: (batch: readonly Work[]) => PromiseLike<(Answer | null)[]>,
  ) => Promise<(Answer | null)[]>,
): Engine {
  const { languageModel, audioEncoder, visionEncoder, speechTokenizer, ganDecoder } = engine;
  return {
    kind: engine.kind,
    model: engine.model,
    tokenizer: engine.tokenizer,
    languageModel: {
      open: () => languageModel.open(),
      close: sequence => languageModel.close(sequence),
      truncate: (sequence, length) => languageModel.truncate(sequence, length),
      ...endReplyOf(languageModel),
      step: batch => around('languageModel', batch, given => languageModel.step(given)),
    },
    audioEncoder: {
      open: () => audioEncoder.open(),
      close: stream => audioEncoder.close(stream),
      fork: stream => audioEncoder.fork(stream),
      step: batch => around('audioEncoder', batch, given => audioEncoder.step(given)),
    },
    visionEncoder: { step: batch => around('visionEncoder', batch, given => visionEncoder.step(given)) },
    speechTokenizer: {
      step: batch => around('speechTokenizer', batch, given => speechTokenizer.step(given)),
    },
    ganDecoder: {
      open: () => ganDecoder.open(),
      close: stream => ganDecoder.close(stream),
      step: batch => around('ganDecoder', batch, given => ganDecoder.step(given)),
    },
    close: () => engine.close(),
  };
}
