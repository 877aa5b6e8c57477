import { expect, test } from 'vitest';
import { transcriptJson, transcriptText } from '../../web/talk/transcript.js';
import { Turns } from '../../web/talk/turns.js';

const ignore = () => {};
const CALL = { id: 'c', name: 'set_timer', arguments: '{"minutes":5}' };

test('a call of the server shows its arguments at once and its result when it is there', () => {
  const shown: string[] = [];
  const turns = new Turns(
    turn => void (turn.side === 'tool' && shown.push(`${turn.text} → ${turn.outcome}`)),
    ignore,
  );
  turns.agentCalled({ ...CALL, type: 'mcp_call', output: null }, 1000);
  turns.agentCalled({ ...CALL, type: 'mcp_call', output: '{"ok":true}' }, 4000);
  expect(shown.at(-2)).toBe('set_timer({"minutes":5}) → …');
  expect(shown.at(-1)).toBe('set_timer({"minutes":5}) → {"ok":true}');
  expect(turns.all.size).toBe(1);
  expect(transcriptText(turns.all.values(), 'nano')).toContain(
    '00:01  Tool   set_timer({"minutes":5}) → {"ok":true}',
  );
  expect(JSON.parse(transcriptJson(turns.all.values(), '')).turns).toEqual([
    { at_ms: 1000, side: 'tool', name: 'set_timer', arguments: '{"minutes":5}', output: '{"ok":true}' },
  ]);
});

test('a call that the page should run is one that nobody answers', () => {
  const turns = new Turns(ignore, ignore);
  turns.agentCalled({ ...CALL, type: 'function_call', arguments: '' }, 0);
  turns.agentCalled({ ...CALL, type: 'function_call' }, 10);
  const [turn] = turns.all.values();
  expect(turn).toMatchObject({ text: 'set_timer({"minutes":5})', outcome: 'nobody here runs it' });
});
