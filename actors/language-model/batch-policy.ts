/** What a session wants of the next engine step. */
export interface Candidate {
  /** Positions that its cache lacks; at least one. */
  readonly pending: number;
  /** A running reply waits for the prediction at the last position. */
  readonly wantsSample: boolean;
  /** The only missing position is the step just generated. */
  readonly isDecode: boolean;
  readonly deadlineMs: number;
}

export interface BatchLimits {
  readonly maxBatch: number;
  /** Prefill positions of one engine step, all sessions together: bounds how long running replies wait. */
  readonly prefillTokenBudget: number;
}

export interface Choice<C> {
  readonly candidate: C;
  /** Positions to append. */
  readonly count: number;
  /** Whether the prediction at the last of them is wanted. */
  readonly sample: boolean;
}

/**
 * One continuous batch (ARCHITECTURE.md §5): decode steps first, then prefill chunks under the token budget, each by
 * deadline. When decode would fill the batch, one place stays for prefill so that it cannot starve.
 */
export function chooseBatch<C extends Candidate>(candidates: readonly C[], limits: BatchLimits): Choice<C>[] {
  const byDeadline = candidates.toSorted((a, b) => a.deadlineMs - b.deadlineMs);
  if (limits.maxBatch === 1) return prefills(byDeadline.slice(0, 1), 1, limits.prefillTokenBudget);
  const waiting = byDeadline.filter(candidate => !candidate.isDecode);
  const places = limits.maxBatch - (waiting.length > 0 ? 1 : 0);
  const chosen: Choice<C>[] = [];
  for (const candidate of byDeadline) {
    if (chosen.length === places) break;
    if (candidate.isDecode) chosen.push({ candidate, count: 1, sample: true });
  }
  if (waiting.length === 0) return chosen;
  return [...chosen, ...prefills(waiting, limits.maxBatch - chosen.length, limits.prefillTokenBudget)];
}

function prefills<C extends Candidate>(waiting: readonly C[], places: number, budget: number): Choice<C>[] {
  const chosen: Choice<C>[] = [];
  let left = budget;
  for (const candidate of waiting) {
    if (chosen.length === places || left === 0) break;
    const count = Math.min(candidate.pending, left);
    chosen.push({ candidate, count, sample: candidate.wantsSample && count === candidate.pending });
    left -= count;
  }
  return chosen;
}
