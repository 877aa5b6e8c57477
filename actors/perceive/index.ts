export { createBandEnergyDetector } from './band-energy-detector.ts';
export * from './frame-sampler.ts';
export * from './frame-sampling.ts';
export * from './framer.ts';
export * from './messages.ts';
export * from './perceive.ts';
export * from './perception.ts';
export * from './segmenter.ts';
export * from './voice-activity-detector.ts';
