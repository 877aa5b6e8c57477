import { RuntimeError } from '../errors.ts';
import type { Ops } from '../ops.ts';
import { referenceOps } from '../reference-ops.ts';
import type { EngineKind } from './engine.ts';

/**
 * The operations of an engine that computes in this process; `auto` is the fastest that this machine has.
 * @throws RuntimeError `engine.unavailable` when this machine or build has none of that kind
 */
export function opsOf(kind: EngineKind | 'auto'): Ops {
  if (kind === 'reference' || kind === 'auto') return referenceOps;
  const remedy = 'Use the reference engine.';
  throw new RuntimeError('engine.unavailable', 'This build has no kernels of that kind.', { kind }, remedy);
}
