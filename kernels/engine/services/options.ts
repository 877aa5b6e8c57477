import type { Ops } from '../../ops.ts';
import type { CacheType } from '../../tensor-memory.ts';
import type { EngineKind } from '../engine.ts';

/** `int8`: the language model's matrices are brought to int8 at load, see kernels/int8-ops.ts. */
export type WeightStorage = 'stored' | 'int8';

/** What a component's service is loaded from; crosses to the worker thread by structured clone, `ops` excepted. */
export interface ServiceOptions<Setup = unknown> {
  readonly kind: EngineKind;
  /** In place of the kernels of `kind`; in this thread only. */
  readonly ops?: Ops;
  readonly modelDirectory: string;
  /**
   * What the model's configuration files say of the component. Checked where the engine is made, so that a component's
   * thread does not load the library that checks.
   */
  readonly setup: Setup;
  /** Expert ranks of the language model; 0: none. */
  readonly ranks: number;
  /** Of the language model. */
  readonly weights: WeightStorage;
  /** Of the language model; absent: by the size of a context. */
  readonly cache?: CacheType;
}
