import { RuntimeError } from '../errors.ts';

/**
 * Some works of a batch have failed and the others have not: each has its own end. Whoever does not look into it takes
 * the step for a failed one.
 */
export class PartlyFailed extends RuntimeError {
  /** By the places of the batch: its answer, null for a stream closed meanwhile, or what it failed of. */
  readonly ends: readonly unknown[];

  constructor(ends: readonly unknown[]) {
    const failed = ends.filter(end => end instanceof RuntimeError).length;
    super('engine.partly-failed', 'A part of a step failed.', { failed, of: ends.length });
    this.ends = ends;
  }

  /** What any of it failed of, each once. */
  get errors(): readonly RuntimeError[] {
    return [...new Set(this.ends.filter(end => end instanceof RuntimeError))];
  }
}
