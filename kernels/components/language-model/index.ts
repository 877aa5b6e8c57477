export { type CodeFrame, completedFrame, framesOfSteps, stepsOfSegment } from './code-alignment.ts';
export { type LanguageModelConfig, parseLanguageModelConfig, readLanguageModelConfig } from './config.ts';
export { type ForwardResult, forwardIds } from './forward-ids.ts';
export {
  advanceGeneration,
  feedbackPositions,
  type GeneratedStep,
  type GenerationState,
  type GenerationTokens,
  type GenerationTransition,
  historyPositions,
  startGeneration,
} from './generation.ts';
export { LanguageModel, type LanguageModelOptions, type RoutingObserver } from './language-model.ts';
export { type ModelSize, modelSize } from './size.ts';
