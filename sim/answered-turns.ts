/** The account of each answered turn, from the mouth to the ear. */
import type { SimulatedCall, TracedTurn } from './call.ts';
import type { SpokenTurn } from './people/person.ts';
import type { AnsweredTurn } from './results.ts';

/** A stretch of time and what it went on. */
interface Segment {
  readonly cause: string;
  readonly untilMs: number;
}

/**
 * Turns that were answered after the person had finished: the item of the trace is the one that the ear heard begin.
 */
export function answeredTurns(call: SimulatedCall): AnsweredTurn[] {
  const byItem = new Map(call.person.turns.map(turn => [turn.answeredBy, turn]));
  return call.traces.flatMap(traced => {
    const turn = traced.itemId === null ? undefined : byItem.get(traced.itemId);
    const { endpoint, firstAudio, speechEnd } = traced.trace.timeline;
    if (!turn || endpoint === null || firstAudio === null || speechEnd === null) return [];
    return endpoint < turn.endedMs || !traced.trace.waterfall ? [] : [account(call, turn, traced)];
  });
}

function account(
  { id, person }: SimulatedCall,
  turn: SpokenTurn,
  { trace, lagMs }: TracedTurn,
): AnsweredTurn {
  const { endpoint, firstAudio, speechEnd } = trace.timeline;
  const { endedMs } = turn;
  const answeredMs = turn.answeredMs!;
  // The runtime's last speech may have been a noise that came after the person's last word.
  const heardUntilMs = speechEnd! - Math.min(lagMs, Math.max(0, speechEnd! - endedMs));
  const noiseEndMs = person.noises
    .filter(({ fromMs, toMs }) => toMs > endedMs && fromMs < heardUntilMs)
    .reduce((latest, { toMs }) => Math.max(latest, Math.min(toMs, heardUntilMs)), endedMs);
  const segments: Segment[] = [
    { cause: 'noise', untilMs: noiseEndMs },
    { cause: 'uplink', untilMs: speechEnd! },
  ];
  let atMs = speechEnd!;
  for (const { cause, ms } of trace.waterfall!.entries) {
    atMs += ms;
    segments.push({ cause, untilMs: atMs });
  }
  segments.push({ cause: 'downlink', untilMs: answeredMs });
  return {
    session: id,
    atMs: endedMs,
    firstAudioMs: answeredMs - endedMs,
    afterEndpointMs: firstAudio! - endpoint!,
    entries: closed(segments, endedMs, answeredMs),
    speculations: trace.speculations,
    rollbacks: trace.rollbacks,
    interrupted: trace.interrupted,
    heardMs: trace.heardMs,
  };
}

/** What lies outside is cut off: the runtime may take a turn for over before its last word has faded. */
function closed(segments: readonly Segment[], fromMs: number, toMs: number): AnsweredTurn['entries'] {
  const entries: { cause: string; ms: number }[] = [];
  let atMs = fromMs;
  for (const { cause, untilMs } of segments) {
    const endMs = Math.min(Math.max(atMs, untilMs), toMs);
    if (endMs > atMs) entries.push({ cause, ms: endMs - atMs });
    atMs = endMs;
  }
  return entries;
}
