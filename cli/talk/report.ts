import type { TurnTrace } from '../../actors/session-api.ts';

const BAR_COLUMNS = 40;

/** One turn as a person reads it: who said what, when, and where the milliseconds went. */
export function turnText(trace: TurnTrace): string {
  const { speechStart, speechEnd, speculate, endpoint, firstAudio, end } = trace.timeline;
  const heard = `${Math.round(trace.heardMs)} ms heard${trace.interrupted ? ', interrupted' : ''}`;
  const lines = [
    `turn ${trace.turn}  speech ${time(speechStart)}–${time(speechEnd)}  speculate ${time(speculate)}  endpoint ${time(endpoint)}  first audio ${time(firstAudio)}  end ${time(end)}`,
    `  user   ${trace.userTranscript ?? '(no transcript)'}`,
    `  agent  ${trace.text || '(nothing)'}  [${heard}]`,
  ];
  if (trace.waterfall) {
    const { entries, totalMs } = trace.waterfall;
    const width = Math.max(...entries.map(({ cause }) => cause.length), 'total'.length);
    for (const { cause, ms } of entries)
      lines.push(`  ${cause.padEnd(width)} ${ms.toFixed(1).padStart(8)} ms ${bar(ms, totalMs)}`);
    lines.push(`  ${'total'.padEnd(width)} ${totalMs.toFixed(1).padStart(8)} ms`);
  }
  return lines.join('\n');
}

/** The same turn with its times counted from another moment of the clock. */
export function since(startMs: number, trace: TurnTrace): TurnTrace {
  const moved = Object.entries(trace.timeline).map(([name, atMs]) => [
    name,
    atMs === null ? null : atMs - startMs,
  ]);
  return { ...trace, timeline: Object.fromEntries(moved) };
}

export function turnJson(trace: TurnTrace): object {
  return { ...trace, waterfall: trace.waterfall?.entries ?? null };
}

function time(ms: number | null): string {
  return ms === null ? '–' : `${(ms / 1000).toFixed(2)} s`;
}

function bar(ms: number, totalMs: number): string {
  return '█'.repeat(totalMs > 0 ? Math.round((ms / totalMs) * BAR_COLUMNS) : 0);
}
