/** What came out then and now. */
import { hashOf, type ReplayedEvent } from '../../actors/recording/index.ts';
import type { TurnTrace } from '../../actors/session-api.ts';

export interface Difference {
  readonly atMs: number;
  readonly session: string;
  /** The event as JSON; null = there is none. */
  readonly before: string | null;
  readonly after: string | null;
}

export interface ComparedTurn {
  readonly session: string;
  readonly before: TurnTrace | null;
  readonly after: TurnTrace | null;
}

export interface ReplayComparison {
  readonly events: number;
  readonly firstDifference: Difference | null;
  /** Of all sound of all sessions, in order. */
  readonly soundBefore: string;
  readonly soundAfter: string;
  readonly turns: readonly ComparedTurn[];
}

/** Turns whose user stopped speaking within this time of each other are the same turn. */
const SAME_TURN_MS = 60;

export function compare(before: readonly ReplayedEvent[], after: readonly ReplayedEvent[]): ReplayComparison {
  return {
    events: before.length,
    firstDifference: firstDifference(before, after),
    soundBefore: soundHash(before),
    soundAfter: soundHash(after),
    turns: pairTurns(turnsOf(before), turnsOf(after)),
  };
}

function firstDifference(
  before: readonly ReplayedEvent[],
  after: readonly ReplayedEvent[],
): Difference | null {
  for (let i = 0; i < Math.max(before.length, after.length); i++) {
    const [old, now] = [before[i], after[i]];
    if (old && now && old.json === now.json && old.session === now.session && old.atMs === now.atMs) continue;
    const atMs = Math.min(old?.atMs ?? Number.POSITIVE_INFINITY, now?.atMs ?? Number.POSITIVE_INFINITY);
    return { atMs, session: (old ?? now).session, before: old?.json ?? null, after: now?.json ?? null };
  }
  return null;
}

function soundHash(events: readonly ReplayedEvent[]): string {
  return hashOf(
    events.filter(({ json }) => json.startsWith('{"type":"response.audio"')).map(({ json }) => json),
  );
}

function turnsOf(events: readonly ReplayedEvent[]): { session: string; trace: TurnTrace }[] {
  return events.flatMap(({ session, json }) =>
    json.startsWith('{"type":"turn.trace"') ? [{ session, trace: JSON.parse(json).trace as TurnTrace }] : [],
  );
}

function pairTurns(
  before: readonly { session: string; trace: TurnTrace }[],
  after: readonly { session: string; trace: TurnTrace }[],
): ComparedTurn[] {
  const left = [...after];
  const pairs = before.map(({ session, trace }): ComparedTurn => {
    const at = left.findIndex(other => other.session === session && isSame(trace, other.trace));
    return { session, before: trace, after: at < 0 ? null : left.splice(at, 1)[0].trace };
  });
  const rest = left.map(({ session, trace }): ComparedTurn => ({ session, before: null, after: trace }));
  return [...pairs, ...rest].sort((a, b) => beganMs(a) - beganMs(b));
}

function isSame(a: TurnTrace, b: TurnTrace): boolean {
  const [x, y] = [a.timeline.speechEnd, b.timeline.speechEnd];
  return x === null || y === null ? a.turn === b.turn && x === y : Math.abs(x - y) <= SAME_TURN_MS;
}

function beganMs({ before, after }: ComparedTurn): number {
  const { speechStart, end } = (before ?? after)!.timeline;
  return speechStart ?? end ?? 0;
}
