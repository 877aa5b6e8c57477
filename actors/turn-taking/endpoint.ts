/**
 * When a silence ends the turn (t4 − t2), from how likely the model finds it that the user goes on. Between `doneBelow`
 * and `goesOnAbove` the wait grows with the log-odds, because that is what a classifier's evidence adds up in.
 *
 *   ceilingMs ┤                  ┌──────────
 *             │               ／
 *    floorMs  ┼─────────────┘
 *             └── doneBelow ─ goesOnAbove ── P(the user goes on)
 */
export interface EndpointFromMeaning {
  /** The shortest and the longest silence that ends a turn. */
  readonly floorMs: number;
  readonly ceilingMs: number;
  readonly doneBelow: number;
  readonly goesOnAbove: number;
  /** A silence that goes on is judged again after this long; 0 = once. */
  readonly judgeAgainMs: number;
}

export function endpointSilenceMs(waitProbability: number, of: EndpointFromMeaning): number {
  const [low, high] = [logOdds(of.doneBelow), logOdds(of.goesOnAbove)];
  const share = (logOdds(waitProbability) - low) / (high - low);
  return of.floorMs + (of.ceilingMs - of.floorMs) * Math.min(1, Math.max(0, share));
}

/** The model says to wait: the reply that it has begun is not worth going on with. */
export function meansWait(waitProbability: number, { goesOnAbove }: EndpointFromMeaning): boolean {
  return waitProbability >= goesOnAbove;
}

function logOdds(probability: number): number {
  const inside = Math.min(1 - 1e-6, Math.max(1e-6, probability));
  return Math.log(inside / (1 - inside));
}
