import type { TurnTrace } from '../../actors/session-api.ts';

/** A stretch of a turn; times in milliseconds of the session's clock. */
export interface TurnSpan {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * One turn as spans: who spoke when, and between them one span a cause of the waterfall, in the order they first came
 * up.
 */
export interface TurnSpans {
  readonly session: string;
  readonly turn: TurnSpan;
  readonly user: TurnSpan | null;
  /** The causes of the delay, then the agent's speech. */
  readonly agent: readonly TurnSpan[];
  /** Names and numbers, never what was said. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** Null for a turn of which no time is known. */
export function turnSpans(session: string, trace: TurnTrace): TurnSpans | null {
  const { speechStart, speechEnd, firstAudio, end } = trace.timeline;
  const known = Object.values(trace.timeline).filter(timeMs => timeMs !== null);
  if (known.length === 0) return null;
  const speech = span('agent speaks', firstAudio, end);
  return {
    session,
    turn: { name: `turn ${trace.turn}`, startMs: Math.min(...known), endMs: Math.max(...known) },
    user: span('user speaks', speechStart, speechEnd),
    agent: [...causes(trace), ...(speech ? [speech] : [])],
    attributes: {
      'longcat.session': session,
      'longcat.turn': trace.turn,
      'longcat.interrupted': trace.interrupted,
      'longcat.heard_ms': trace.heardMs,
      'longcat.speculations': trace.speculations,
      'longcat.rollbacks': trace.rollbacks,
      ...(trace.waterfall && { 'longcat.answer_delay_ms': trace.waterfall.totalMs }),
    },
  };
}

function span(name: string, startMs: number | null, endMs: number | null): TurnSpan | null {
  return startMs === null || endMs === null || endMs < startMs ? null : { name, startMs, endMs };
}

/** The account ends where the first sound is heard; laid end to end its causes fill the time before. */
function causes({ waterfall, timeline }: TurnTrace): TurnSpan[] {
  if (!waterfall || timeline.firstAudio === null) return [];
  let startMs = timeline.firstAudio - waterfall.totalMs;
  return waterfall.entries.map(({ cause, ms }) => {
    const entry = { name: cause, startMs, endMs: startMs + ms };
    startMs = entry.endMs;
    return entry;
  });
}
