/**
 * The conversation in writing. What was not heard of an interrupted answer stands in brackets.
 *
 * @param {Iterable<import('./turns.js').Turn>} turns
 * @param {string} model
 * @returns {string}
 */
export function transcriptText(turns, model) {
  const lines = [...turns].map(turn => {
    if (turn.side === 'divider') return `${clock(turn.atMs)}  ——— a new conversation ———`;
    if (turn.side === 'tool') return `${clock(turn.atMs)}  Tool   ${turn.text} → ${turn.outcome}`;
    const note = turn.side === 'agent' && turn.trace?.waterfall;
    const time = note ? `  (${Math.round(note.totalMs)} ms to the first sound)` : '';
    return `${clock(turn.atMs)}  ${turn.side === 'user' ? 'You  ' : 'Agent'}  ${said(turn)}${time}`;
  });
  return `longcat-rt${model ? `, model ${model}` : ''}\n\n${lines.join('\n')}\n`;
}

/** The same for programs. */
export function transcriptJson(turns, model) {
  const told = [...turns].map(turn => {
    if (turn.side === 'divider') return { at_ms: Math.round(turn.atMs), session: 'new' };
    if (turn.side === 'tool') {
      const { atMs, given, name, output } = turn;
      return { at_ms: Math.round(atMs), side: 'tool', name, arguments: given, output };
    }
    const { atMs, side, text } = turn;
    const common = { at_ms: Math.round(atMs), side, text: text.trim() };
    if (turn.side === 'user') return { ...common, typed: turn.typed, length_ms: Math.round(turn.lengthMs) };
    const { interrupted, heardMs, trace } = turn;
    const heard = text.slice(0, turn.text.length - turn.parts().rest.length).trim();
    return {
      ...common,
      heard,
      heard_ms: Math.round(heardMs),
      interrupted,
      waterfall: trace?.waterfall ?? null,
    };
  });
  return `${JSON.stringify({ model, turns: told }, null, 2)}\n`;
}

function said(turn) {
  if (turn.side === 'user')
    return turn.text.trim() || `(${(turn.lengthMs / 1000).toFixed(1)} s of sound, no words recognised)`;
  if (!turn.interrupted) return turn.text.trim() || '(no words)';
  const { remembered, heardOnly, rest } = turn.parts();
  const heard = (remembered + heardOnly).trim();
  return `${heard}${rest.trim() ? `${heard ? ' ' : ''}[not heard: ${rest.trim()}]` : ''}`;
}

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
