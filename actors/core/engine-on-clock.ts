import type { Engine } from '../../kernels/engine/index.ts';
import type { Clock } from './clock.ts';

/**
 * The same engine with every answer settled on a clock, so that under virtual time the order of events does not depend
 * on how fast the host computed. An engine that keeps time itself (the simulator's modelled one) needs no such face.
 */
export function engineOnClock(engine: Engine, clock: Clock): Engine {
  const { languageModel, audioEncoder, visionEncoder, speechTokenizer, ganDecoder } = engine;
  return {
    kind: engine.kind,
    model: engine.model,
    tokenizer: engine.tokenizer,
    languageModel: {
      open: () => languageModel.open(),
      close: sequence => languageModel.close(sequence),
      truncate: (sequence, length) => languageModel.truncate(sequence, length),
      step: batch => clock.settle(languageModel.step(batch)),
    },
    audioEncoder: {
      open: () => audioEncoder.open(),
      close: stream => audioEncoder.close(stream),
      fork: stream => audioEncoder.fork(stream),
      step: batch => clock.settle(audioEncoder.step(batch)),
    },
    visionEncoder: { step: batch => clock.settle(visionEncoder.step(batch)) },
    speechTokenizer: { step: batch => clock.settle(speechTokenizer.step(batch)) },
    ganDecoder: {
      open: () => ganDecoder.open(),
      close: stream => ganDecoder.close(stream),
      step: batch => clock.settle(ganDecoder.step(batch)),
    },
    close: () => engine.close(),
  };
}
