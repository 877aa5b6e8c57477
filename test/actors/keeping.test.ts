import { describe, expect, it } from 'vitest';
import { keepsFacts } from '../../actors/index.ts';

describe('what is kept of a conversation unless told otherwise', () => {
  const said = (role: 'user' | 'assistant', transcript: string) =>
    keepsFacts({
      ...{ id: 'i', role, status: 'completed', previousItemId: null },
      content: [{ type: 'audio', samples: new Float32Array(0), transcript }],
    });

  it.each([
    ...[
      'my name is ben',
      'Ben is my name.',
      'you can call me Ben',
      'I am Ben.',
      "I'm Ben",
      'please remember seven',
    ],
    'my lucky number is four',
  ])('is %s', text => expect(said('user', text)).toBe(2));

  it.each([
    ...[
      'what is my name',
      'do you remember my name',
      'I am on my way home',
      'what was my number',
      'how are you',
      '',
    ],
  ])('is not %s', text => expect(said('user', text)).toBe(0));

  it('is what the agent calls the user by, and what tools gave', () => {
    expect(said('assistant', 'Hello Ben.')).toBe(2);
    expect(said('assistant', 'Hello.')).toBe(0);
    const call = { type: 'call', callId: 'c', name: 'n', argumentsJson: '{}', output: '{}' } as const;
    const item = { id: 'i', status: 'completed', previousItemId: null } as const;
    expect(keepsFacts({ ...item, role: 'assistant', content: [call] })).toBe(1);
  });
});
