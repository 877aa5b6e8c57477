export { completedFrame, framesOfSteps, stepsOfSegment } from './code-alignment.ts';
export { parseLanguageModelConfig, readLanguageModelConfig } from './config.ts';
export { Embedder } from './embedder.ts';
export { forwardIds } from './forward-ids.ts';
export {
  advanceGeneration,
  type GeneratedStep,
  type GenerationState,
  type GenerationTransition,
  historyPositions,
  recordCandidate,
  startGeneration,
} from './generation.ts';
export { LanguageModel } from './language-model.ts';
export { loadLanguageModel, loadOnDevice } from './load.ts';
export { modelSize } from './size.ts';
export type { StepSpan } from './step-spans.ts';
