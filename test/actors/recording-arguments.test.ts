/** What a recording says was called is checked before anything is called: a file may be damaged, or made by anybody. */
import { describe, expect, it } from 'vitest';
import { argumentProblem } from '../../actors/recording/call-arguments.ts';
import { hashOf } from '../../actors/recording/hash.ts';

const picture = { width: 2, height: 1, data: new Uint8Array(6) };
const file = { format: 'webp', width: 2, height: 1, bytes: new Uint8Array(9) };
const said = (content: object) => ({ type: 'item.add', item: { role: 'user', content: [content] } });

describe('arguments of recorded calls', () => {
  it.each([
    ['open', [{}]],
    ['open', [{ instructions: 'x' }, null]],
    ['send', [{ type: 'audio', samples: new Float32Array(3) }]],
    ['send', [{ type: 'picture', image: picture, capturedAtMs: 5 }]],
    ['send', [{ type: 'picture', image: file }]],
    ['send', [said({ type: 'text', text: 'Hello.' })]],
    ['send', [said({ type: 'audio', samples: new Int16Array(2), transcript: null })]],
    ['send', [said({ type: 'image', image: picture })]],
    ['send', [{ type: 'item.truncate', itemId: 'a', audioEndMs: 10 }]],
    ['send', [{ type: 'played', itemId: 'a', samples: 10 }]],
    ['send', [{ type: 'item.update', itemId: 'a', fields: { tools: [] } }]],
    ['close', ['over']],
  ] as const)('of a sound recording are taken: %s %j', (method, args) => {
    expect(argumentProblem(method, args)).toBeNull();
  });

  it.each([
    ['nothing to open with', 'open', []],
    ['settings that are a list', 'open', [[]]],
    ['no command', 'send', []],
    ['a command of no kind', 'send', [{}]],
    ['a command that nobody knows', 'send', [{ type: 'constructor' }]],
    ['sound that is text', 'send', [{ type: 'audio', samples: 'AAAA' }]],
    ['sound that is an object with a length', 'send', [{ type: 'audio', samples: { length: 1e9 } }]],
    [
      'a picture of another size than its bytes',
      'send',
      [{ type: 'picture', image: { ...picture, width: 3 } }],
    ],
    ['a picture file of no format', 'send', [{ type: 'picture', image: { ...file, format: 'gif' } }]],
    ['a picture file in an item', 'send', [said({ type: 'image', image: file })]],
    ['a picture without a height', 'send', [{ type: 'picture', image: { ...picture, height: 0 } }]],
    ['a picture of 10^9 pixels a side', 'send', [{ type: 'picture', image: { ...picture, width: 1e9 } }]],
    ['an item without content', 'send', [{ type: 'item.add', item: { role: 'user' } }]],
    ['an item of somebody else', 'send', [{ type: 'item.add', item: { role: 'root', content: [] } }]],
    ['a part of no kind', 'send', [said({ type: 'film' })]],
    ['an id that is an object', 'send', [{ type: 'item.delete', itemId: { toString: 1 } }]],
    ['an id without end', 'send', [{ type: 'item.delete', itemId: 'x'.repeat(513) }]],
    ['a place that is no number', 'send', [{ type: 'item.truncate', itemId: 'a', audioEndMs: Number.NaN }]],
    ['less than nothing heard', 'send', [{ type: 'played', itemId: 'a', samples: -1 }]],
    ['what is kept of an item as text', 'send', [{ type: 'item.update', itemId: 'a', fields: 'all' }]],
    ['settings that are text', 'send', [{ type: 'settings.update', settings: 'all' }]],
    ['a reason that is a number', 'close', [1]],
    ['an argument too many', 'close', ['over', 'and out']],
  ] as const)('are refused with what is wrong: %s', (_what, method, args) => {
    expect(argumentProblem(method, args)).toContain(method);
  });
});

it('what a step was asked to do is told apart, not what it is called', () => {
  const work = { stream: 3, codes: Int32Array.of(1, 2), finish: false };
  // As recordings hold it that were made before steps knew their trace.
  expect(hashOf([{ ...work, stream: 7, traceparent: '00-1-2-01' }])).toBe(hashOf([work]));
  expect(hashOf([{ ...work, codes: Int32Array.of(1, 3) }])).not.toBe(hashOf([work]));
});
