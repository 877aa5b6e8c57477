/** What the callers noted, fault by fault, as a table. */
import type { Caller, TurnNote } from './caller.ts';

export interface Strike {
  readonly kind: number;
  readonly atMs: number;
  /** When the next one came. */
  readonly untilMs: number;
  readonly undoneAfterMs: number;
  /** Of all callers together, in that time. */
  readonly losses: Losses;
}

export interface Losses {
  readonly calls: number;
  readonly words: number;
  readonly unanswered: number;
  readonly failed: number;
  readonly twice: number;
}

export function lossesOf(callers: readonly Caller[]): Losses {
  const turns = callers.flatMap(caller => caller.turns);
  const sum = (value: (caller: Caller) => number) => callers.reduce((total, each) => total + value(each), 0);
  return {
    calls: sum(({ lost }) => lost.length),
    words: sum(({ wordsLost }) => wordsLost),
    unanswered: turns.filter(({ failure }) => failure === 'no answer').length,
    failed: turns.filter(({ failure }) => failure !== null && failure !== 'no answer').length,
    twice: turns.filter(({ answers }) => answers > 1).length,
  };
}

export function difference(after: Losses, before: Losses): Losses {
  const entries = Object.entries(after) as [keyof Losses, number][];
  return Object.fromEntries(entries.map(([key, value]) => [key, value - before[key]])) as unknown as Losses;
}

const latencyOf = ({ saidAtMs, soundAtMs }: TurnNote): number | null =>
  soundAtMs.length > 0 ? soundAtMs[0] - saidAtMs : null;

/** Latencies of turns that no fault was near. */
export function undisturbed(callers: readonly Caller[], untilMs: number): number[] {
  const turns = callers.flatMap(caller => caller.turns);
  return turns
    .filter(({ doneAtMs }) => doneAtMs !== null && doneAtMs < untilMs)
    .flatMap(turn => latencyOf(turn) ?? []);
}

/**
 * Of each caller the first turn that the fault met: where sound was coming, how long until more of it came; where an
 * answer was awaited or the caller still spoke, how much later than usual it came. Nothing came: not counted here, but
 * among the losses.
 */
export function delays(callers: readonly Caller[], { atMs, untilMs }: Strike, usualMs: number): number[] {
  return callers.flatMap(({ turns }) => {
    const turn = turns.find(({ doneAtMs }) => doneAtMs === null || doneAtMs > atMs);
    if (!turn || turn.saidAtMs > untilMs) return [];
    const { soundAtMs } = turn;
    if (soundAtMs.length > 0 && soundAtMs[0] <= atMs) {
      const next = soundAtMs.find(ms => ms > atMs);
      return next === undefined ? [] : [next - atMs];
    }
    const latencyMs = latencyOf(turn);
    return latencyMs === null ? [] : [Math.max(0, latencyMs - usualMs)];
  });
}

export function quantile(values: readonly number[], share: number): string {
  if (values.length === 0) return '–';
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(0);
}
