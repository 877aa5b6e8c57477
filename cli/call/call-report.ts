import type { CallTurn } from './call-turns.ts';

/** One turn as a person reads it. */
export function callTurnText(turn: CallTurn): string {
  const { speechStartMs, speechEndMs, firstAudioMs, latencyMs, heardMs, status } = turn;
  const notes = [
    `${heardMs} ms heard`,
    ...(turn.interrupted ? ['interrupted'] : []),
    ...(status && status !== 'completed' && !turn.interrupted ? [status] : []),
  ];
  return [
    `turn ${turn.turn}  speech ${time(speechStartMs)}–${time(speechEndMs)}  first audio ${time(firstAudioMs)}`,
    `  user   ${turn.userTranscript || '(no transcript)'}`,
    `  agent  ${turn.text || '(nothing)'}  [${notes.join(', ')}]`,
    ...(latencyMs === null
      ? []
      : [`  answer ${latencyMs} ms after the end of the turn, as this client hears it`]),
  ].join('\n');
}

function time(ms: number | null): string {
  return ms === null ? '–' : `${(ms / 1000).toFixed(2)} s`;
}
