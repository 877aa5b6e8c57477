/**
 * The package's face: a runtime, an engine and the clocks to give it; `longcat-rt/protocols` serves it,
 * `longcat-rt/sim` simulates it.
 */
export {
  type Clock,
  createLogger,
  createRandom,
  engineOnClock,
  type Logger,
  type Random,
  RealClock,
  silentLogger,
  VirtualClock,
} from './actors/core/index.ts';
export * from './actors/index.ts';
export { createEngine, type Engine, fastestEngine } from './kernels/engine/index.ts';
export { RuntimeError } from './kernels/errors.ts';
export { NANO_DIRECTORY } from './kernels/package-root.ts';
