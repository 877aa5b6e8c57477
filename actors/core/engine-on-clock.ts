import type {
  AudioEncoderWork,
  Engine,
  GanDecoderWork,
  LanguageModelWork,
  SpeechTokenizerEngine,
  VisionEncoderWork,
} from '../../kernels/engine/index.ts';
import type { Clock } from './clock.ts';
import { endReplyOf } from './engine-steps.ts';

/** Clock time in ms that a step takes, by component; what is not given takes none. */
export interface StepCosts {
  readonly languageModel?: (batch: readonly LanguageModelWork[]) => number;
  readonly audioEncoder?: (batch: readonly AudioEncoderWork[]) => number;
  readonly visionEncoder?: (batch: readonly VisionEncoderWork[]) => number;
  readonly speechTokenizer?: (batch: Parameters<SpeechTokenizerEngine['step']>[0]) => number;
  readonly ganDecoder?: (batch: readonly GanDecoderWork[]) => number;
}

/**
 * The same engine with every answer settled on a clock, so that under virtual time the order of events does not depend
 * on how fast the host computed. Live, `costs` change nothing. An engine that keeps time itself (the simulator's
 * modelled one) needs no such face.
 */
export function engineOnClock(engine: Engine, clock: Clock, costs: StepCosts = {}): Engine {
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
      step: batch => clock.settle(languageModel.step(batch), costs.languageModel?.(batch)),
    },
    audioEncoder: {
      open: () => audioEncoder.open(),
      close: stream => audioEncoder.close(stream),
      fork: stream => audioEncoder.fork(stream),
      step: batch => clock.settle(audioEncoder.step(batch), costs.audioEncoder?.(batch)),
    },
    visionEncoder: { step: batch => clock.settle(visionEncoder.step(batch), costs.visionEncoder?.(batch)) },
    speechTokenizer: {
      step: batch => clock.settle(speechTokenizer.step(batch), costs.speechTokenizer?.(batch)),
    },
    ganDecoder: {
      open: () => ganDecoder.open(),
      close: stream => ganDecoder.close(stream),
      step: batch => clock.settle(ganDecoder.step(batch), costs.ganDecoder?.(batch)),
    },
    close: () => engine.close(),
  };
}
