import type { EngineKind } from '../engine.ts';

/** What a component's service is loaded from; crosses to the worker thread by structured clone. */
export interface ServiceOptions {
  readonly kind: EngineKind;
  readonly modelDirectory: string;
  /** Expert ranks of the language model; 0: none. */
  readonly ranks: number;
}
