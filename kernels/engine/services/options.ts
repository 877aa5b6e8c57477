import type { LocalEngineKind } from '../ops-of-kind.ts';

/** What a component's service is loaded from; crosses to the worker thread by structured clone. */
export interface ServiceOptions {
  readonly kind: LocalEngineKind;
  readonly modelDirectory: string;
  readonly threads: number;
}
