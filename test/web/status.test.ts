import { expect, test } from 'vitest';
import { countdown, describe } from '../../web/talk/status.js';

const LIVE = {
  phase: 'live' as const,
  agent: 'idle',
  sounding: false,
  canStop: true,
  mode: 'open' as const,
  microphone: 'on' as const,
  asking: false,
  holding: false,
  replaying: false,
  lost: false,
  resumes: false,
  retry: null,
};
const title = (changes: object) => describe({ ...LIVE, ...changes }).title;

test.each([
  [{}, 'Listening'],
  [{ microphone: 'muted' }, 'Muted'],
  [{ microphone: 'muted', agent: 'userSpeaking' }, 'Muted'],
  [{ microphone: 'muted', agent: 'speculating' }, 'Thinking'],
  [{ microphone: 'muted', agent: 'agentSpeaking' }, 'Speaking'],
  [{ microphone: 'off' }, 'Microphone off'],
  [{ microphone: 'off', mode: 'hold' }, 'Microphone off'],
  [{ mode: 'hold' }, 'Your turn'],
  [{ mode: 'hold', microphone: 'muted' }, 'Your turn'],
  [{ mode: 'hold', microphone: 'muted', holding: true }, 'Hearing you'],
  [{ agent: 'userSpeaking' }, 'Hearing you'],
  [{ agent: 'agentSpeaking', replaying: true }, 'Replaying'],
  [{ phase: 'reconnecting', agent: 'agentSpeaking' }, 'Connection lost'],
  [{ phase: 'ended', lost: true }, 'Not connected'],
  [{ phase: 'ended' }, 'Conversation ended'],
])('%j reads %s', (changes, expected) => {
  expect(title(changes)).toBe(expected);
});

test('whoever cannot interrupt by voice is told how to', () => {
  const hint = (changes: object) => describe({ ...LIVE, agent: 'agentSpeaking', ...changes }).hint;
  expect(hint({})).toBe('Speak to interrupt.');
  for (const changes of [{ microphone: 'muted' }, { microphone: 'off' }, { mode: 'hold' }]) {
    expect(hint(changes)).toBe('Press Stop, or Escape, to interrupt.');
    expect(hint({ ...changes, canStop: false })).toBe('Only your voice interrupts it.');
  }
});

test('the countdown counts down to the try, then says so', () => {
  const retry = { waitMs: 4000, attempt: 4, attempts: 6 };
  expect(countdown(retry, 3999)).toBe('Trying again in 4 s (try 4 of 6)');
  expect(countdown(retry, 1)).toBe('Trying again in 1 s (try 4 of 6)');
  expect(countdown(retry, 0)).toBe('Trying now (try 4 of 6)');
});
