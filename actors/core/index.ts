export * from './actor.ts';
export type { Clock, Timer, XStateClock } from './clock.ts';
export { withTimers } from './clock-faces.ts';
export { engineOnClock, type StepCosts } from './engine-on-clock.ts';
export { ENGINE_COMPONENTS, type EngineComponent, engineWithSteps } from './engine-steps.ts';
export { MAX_WAIT_MS, nameOf, type SupervisedEngine, superviseEngine } from './engine-supervisor.ts';
export { EpochRegistry } from './epochs.ts';
export { createLogger, type Logger, silentLogger } from './logger.ts';
export type { PortCounters } from './mailbox.ts';
export * from './message.ts';
export { Outlet } from './outlet.ts';
export { Demultiplexer } from './demultiplexer.ts';
export { createRandom, exponential, integer, normal, type Random } from './random.ts';
export { RealClock, unixTimeMs } from './real-clock.ts';
export { type SpawnedActor, spawn } from './spawn.ts';
export { type ActorRestart, ActorSystem, type SessionFailure } from './system.ts';
export {
  FIRST_HEARD,
  SPEECH_END,
  type TraceMark,
  type Waterfall,
  waterfall,
} from './trace.ts';
export { type CompletionOptions, VirtualClock, type VirtualClockOptions } from './virtual-clock.ts';
export { warmUp } from './warm-up.ts';
