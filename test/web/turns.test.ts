import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgentTurn } from '../../web/talk/agent-turn.js';
import { transcriptJson, transcriptText } from '../../web/talk/transcript.js';
import { Turns } from '../../web/talk/turns.js';

const RATE_HZ = 24_000;
const ignore = () => {};

/** Words of half a second each with a quarter of quiet after them. */
function speech(words: number): Int16Array {
  return Int16Array.from({ length: words * 0.75 * RATE_HZ }, (_, i) =>
    i % (0.75 * RATE_HZ) < 0.5 * RATE_HZ ? 9000 * Math.sin(i / 7) : 0,
  );
}

function agent(text: string, sound: Int16Array | null): AgentTurn {
  const turn = new AgentTurn('a', 0);
  turn.write(text, false);
  turn.complete(sound);
  return turn;
}

test('words darken one by one as they are heard, never ahead of the sound', () => {
  const turn = agent('One, two, three.', speech(3));
  const heard = [0.1, 0.55, 1.2, 1.3, 2.1].map(seconds => {
    turn.hear(seconds * RATE_HZ);
    return turn.parts().remembered;
  });
  expect(heard).toEqual(['', 'One,', 'One,', 'One, two,', 'One, two, three.']);
});

test('what was heard stays heard, in whatever order text, sound and reports come', () => {
  const step = fc.oneof(
    fc.record({ text: fc.constantFrom(' one', ' two,', ' three.', '') }),
    fc.record({ hear: fc.integer({ min: 0, max: 200_000 }) }),
    fc.constant({ complete: true as const }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const turn = new AgentTurn('a', 0);
      let before = 0;
      for (const action of steps) {
        if ('text' in action) turn.write(action.text, false);
        else if ('hear' in action) turn.hear(action.hear);
        else turn.complete(speech(4));
        const { remembered, heardOnly, rest } = turn.parts();
        expect(remembered + heardOnly + rest).toBe(turn.text);
        expect(remembered.length).toBeGreaterThanOrEqual(before);
        before = remembered.length;
      }
    }),
  );
});

test('an interruption keeps what was heard in sight and says what is remembered of it', () => {
  const turn = agent('One, two, three. Four, five.', speech(5));
  turn.hear(3.1 * RATE_HZ);
  turn.cut('One, two, three.');
  expect(turn.parts()).toEqual({ remembered: 'One, two, three.', heardOnly: ' Four,', rest: ' five.' });
});

test('what the server remembers was said, even where the page has not counted it as heard', () => {
  const turn = agent('One, two.', null);
  turn.cut('One,');
  expect(turn.parts()).toEqual({ remembered: 'One,', heardOnly: '', rest: ' two.' });
});

test('an account goes to the newest answer without one that says its words, and to no other', () => {
  const turns = new Turns(ignore, ignore);
  for (const [id, text] of [
    ['a', 'Seven.'],
    ['b', 'Eight, nine.'],
    ['c', 'Ten.'],
  ]) {
    turns.agentBegan(id, 0);
    turns.ofAgent(id, turn => turn.write(text, false));
  }
  const trace = (text: string) => ({ text, waterfall: null });
  expect(turns.trace(trace('Seven.'))).toBe(true);
  expect(turns.trace(trace('Eight,'))).toBe(true);
  expect(turns.trace(trace('Nothing of the kind.'))).toBe(false);
  const accounts = [...turns.all.values()].map(turn => turn instanceof AgentTurn && turn.trace?.text);
  expect(accounts).toEqual(['Seven.', 'Eight,', undefined]);
});

test('what is said before a call stands above it, though the call is told first', () => {
  const turns = new Turns(ignore, ignore);
  turns.userSpoke('u', 0, 0);
  turns.agentCalled({ type: 'mcp_call', id: 'c', name: 'look' }, 100);
  turns.agentBegan('moment', 500, ['c']);
  turns.agentBegan('answer', 900, undefined);
  expect([...turns.all.keys()]).toEqual(['u', 'moment', 'c', 'answer']);
  expect([...turns.all.values()].map(turn => turn instanceof AgentTurn && turn.above)).toEqual([
    ...[false, 'c', false, null],
  ]);
  // Not where the user has spoken since.
  turns.agentCalled({ type: 'mcp_call', id: 'd', name: 'look' }, 1000);
  turns.userSpoke('w', 1100, 0);
  turns.agentBegan('late', 1200, ['d']);
  expect([...turns.all.keys()].slice(-3)).toEqual(['d', 'w', 'late']);
});

test('the oldest turns go, and that is told', () => {
  const forgotten: string[] = [];
  const turns = new Turns(ignore, turn => forgotten.push(turn.id));
  for (let i = 0; i < 203; i++) turns.agentBegan(`item ${i}`, i);
  expect(forgotten).toEqual(['item 0', 'item 1', 'item 2']);
});

test('the transcript says who said what when, and what was not heard', () => {
  const turns = new Turns(ignore, ignore);
  turns.newSession(0);
  turns.userSpoke('u', 1200, 300);
  turns.ofUser('u', turn => turn.stop(1800));
  turns.userWrote('w', 62_000, 'Count to five.');
  turns.agentBegan('a', 63_000);
  turns.ofAgent('a', turn => {
    turn.write('One, two, three.', false);
    turn.complete(speech(3));
    turn.hear(1.3 * RATE_HZ);
    turn.cut('One, two,');
    turn.account({ text: 'One, two,', waterfall: { entries: [], totalMs: 280.4 } });
  });
  turns.newSession(70_000);
  expect(transcriptText(turns.all.values(), 'nano')).toBe(
    `longcat-rt, model nano

00:01  You    (1.5 s of sound, no words recognised)
01:02  You    Count to five.
01:03  Agent  One, two, [not heard: three.]  (280 ms to the first sound)
01:10  ——— a new conversation ———
`,
  );
  const told = JSON.parse(transcriptJson(turns.all.values(), 'nano'));
  expect(told.turns[2]).toMatchObject({
    side: 'agent',
    text: 'One, two, three.',
    heard: 'One, two,',
    interrupted: true,
  });
});
