import type { RuntimeError } from '../errors.ts';

/** The components of an engine, as its interface names them. */
export const ENGINE_COMPONENTS = [
  'languageModel',
  'audioEncoder',
  'visionEncoder',
  'speechTokenizer',
  'ganDecoder',
] as const;
export type EngineComponent = (typeof ENGINE_COMPONENTS)[number];

/** `absent`: the model has no such component. `down`: its thread has died or was given up. */
export type ComponentState = 'ready' | 'starting' | 'down' | 'absent';

/** One of those that share the streams of a component. */
export interface ServingHost {
  readonly host: string;
  /** Of this runtime's. */
  readonly streams: number;
  /** Nothing new begins there. */
  readonly isLeaving: boolean;
}

/**
 * How the components of an engine live and die, for whoever supervises them: the engine has no clock, so when to give a
 * component up and when to start it again is decided outside (actors/core/engine-supervisor.ts).
 */
export interface EngineLifecycle {
  state(component: EngineComponent): ComponentState;
  /**
   * Hears of every change; with `down` comes why. From now on a component that is down stays down until `start`; what
   * is asked of it waits. Unsupervised it is started again when it is next used.
   */
  supervise(
    listener: (component: EngineComponent, state: ComponentState, error: RuntimeError | null) => void,
  ): void;
  /** Of a component that is elsewhere. */
  hosts(component: EngineComponent): readonly ServingHost[];
  /** Of a component that is down. */
  start(component: EngineComponent): void;
  /** Ends its thread, whatever it is doing: its streams are lost, steps in flight reject with `error`, it is `down`. */
  giveUp(component: EngineComponent, error: RuntimeError): void;
  /** Refuses the steps that wait for the component. */
  refuse(component: EngineComponent, error: RuntimeError): void;
  /** Begins to load the thread that is to take over next, where there is to be one and none is. */
  prepareStandby(): void;
  /** Ends that thread, until it is asked for again. */
  releaseStandby(): void;
  /** A loaded thread stands ready to take over. */
  readonly hasStandby: boolean;
}
