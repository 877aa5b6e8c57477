import { RuntimeError } from '../errors.ts';
import type { Ops } from '../ops.ts';
import { referenceOps } from '../reference-ops.ts';

/** Engines whose components run in this process on an `Ops`; the others have factories of their own. */
export type LocalEngineKind = 'reference' | 'cpu';

/** @throws RuntimeError `engine.unavailable` when this machine or build cannot do it */
export function opsOfKind(kind: LocalEngineKind): Ops {
  if (kind === 'reference') return referenceOps;
  const remedy = 'Use the reference engine.';
  throw new RuntimeError('engine.unavailable', 'This build has no native kernels.', { kind }, remedy);
}
