import type { RecordingHeader } from '../../actors/recording/index.ts';
import type { TurnTrace } from '../../actors/session-api.ts';
import type { ComparedTurn } from './comparison.ts';
import type { ReplayOutcome } from './run-replay.ts';

const MAX_EVENT_COLUMNS = 160;

/** What a person reads at a terminal. */
export function replayText(header: RecordingHeader, tornBytes: number, outcome: ReplayOutcome): string {
  const { comparison, divergence, startMs, endMs, endReason, listeners, engine } = outcome;
  const seconds = (atMs: number) => `${((atMs - startMs) / 1000).toFixed(3)} s`;
  const sessions = `${listeners.size} session${listeners.size === 1 ? '' : 's'}`;
  const lines = [
    `recorded  ${sessions}, ${seconds(endMs)}, model ${header.model.name} (${header.model.hash}), ${header.engine} engine, ${header.clock} clock`,
  ];
  if (engine !== header.engine) lines.push(`          replayed with the ${engine} engine`);
  if (endReason === null)
    lines.push(`          cut off: ${tornBytes} bytes of a torn entry at the end left out`);
  const { firstDifference, events, soundBefore, soundAfter } = comparison;
  const sound =
    soundBefore === soundAfter ? `the same, ${soundAfter}` : `${soundBefore} before, ${soundAfter} after`;
  if (!firstDifference && !divergence) lines.push(`replayed  bit-exact: ${events} events; sound ${sound}`);
  else {
    const at = firstDifference ?? divergence!;
    const what = firstDifference ? `session ${firstDifference.session}` : divergence!.what;
    lines.push(
      `replayed  first divergence at ${seconds(at.atMs)}, ${what}`,
      `  before  ${short(at.before)}`,
      `  after   ${short(at.after)}`,
    );
    if (divergence && divergence.atMs < at.atMs)
      lines.push(
        `  inside   first at ${seconds(divergence.atMs)}: ${divergence.what}, ${short(divergence.before)}`,
      );
    lines.push(`sound     ${sound}`);
  }
  return [...lines, '', ...turnTable(comparison.turns, startMs, listeners.size > 1)].join('\n');
}

/** User's last sound to the first of the answer; null = it was not answered. */
export function latencyMs(trace: TurnTrace | null): number | null {
  return trace?.waterfall?.totalMs ?? null;
}

function turnTable(turns: readonly ComparedTurn[], startMs: number, namesSessions: boolean): string[] {
  if (turns.length === 0) return ['no turn ended'];
  const head = `turn  user silent at   first audio before      after     change   said after`;
  const rows = turns.map(({ session, before, after }) => {
    const { turn, timeline } = (before ?? after)!;
    const silentAt = timeline.speechEnd;
    const [old, now] = [latencyMs(before), latencyMs(after)];
    const change = old === null || now === null ? '–' : `${now > old ? '+' : ''}${(now - old).toFixed(1)} ms`;
    return [
      String(turn).padStart(4),
      (silentAt === null ? '–' : `${((silentAt - startMs) / 1000).toFixed(2)} s`).padStart(16),
      cell(before, old).padStart(21),
      cell(after, now).padStart(11),
      change.padStart(11),
      `  ${after?.text ?? '(no such turn)'}${namesSessions ? `  [${session}]` : ''}`,
    ].join('');
  });
  return [head, ...rows];
}

function cell(trace: TurnTrace | null, ms: number | null): string {
  return trace === null ? 'no such turn' : ms === null ? 'no answer' : `${ms.toFixed(1)} ms`;
}

function short(text: string | null): string {
  if (text === null) return 'nothing';
  return text.length > MAX_EVENT_COLUMNS ? `${text.slice(0, MAX_EVENT_COLUMNS)}…` : text;
}
