export { createBandEnergyDetector } from './band-energy-detector.ts';
export * from './frame-sampler.ts';
export * from './perception.ts';
export * from './segmenter.ts';
export * from './voice-activity-detector.ts';
