import { describe, expect, it } from 'vitest';
import type { SessionCommand } from '../../actors/index.ts';
import { recordedEvents } from '../../actors/recording/index.ts';
import { MediaTime } from '../../actors/session/media-time.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { RecordingRig } from '../support/recording-rig.ts';
import { packet, SessionRig } from '../support/session-rig.ts';

const REPLIES = [[{ text: 'One two three four five.', frames: 20 }], [{ text: 'Yes.', frames: 10 }]];
const LISTENS = { mode: 'vad', threshold: 0.5, prefixPaddingMs: 0 } as const;
const DELAYS = { endpointSilenceMs: 400, speculateSilenceMs: 400, createResponse: true } as const;
const VAD = { ...LISTENS, ...DELAYS, interruptResponse: true };

function codeOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    if (error instanceof RuntimeError) return error.code;
  }
  return 'none';
}

describe('what is kept for a client', () => {
  it('may change, and nothing else may', () => {
    const caller = new SessionRig({ replies: REPLIES }).open();
    const { session } = caller;
    const foreign = { type: 'foreign', kind: 'mcp_list_tools', fields: { tools: [] } } as const;
    session.send({ type: 'item.add', item: { id: 'list', role: 'tool', content: [foreign] } });
    session.send({
      type: 'item.add',
      item: { id: 'said', role: 'user', content: [{ type: 'text', text: 'Hi.' }] },
    });
    session.send({ type: 'item.update', itemId: 'list', fields: { tools: ['look'] } });
    expect(caller.last('item.done')?.item).toMatchObject({
      id: 'list',
      content: [{ kind: 'mcp_list_tools', fields: { tools: ['look'] } }],
    });
    const change = (itemId: string) =>
      codeOf(() => session.send({ type: 'item.update', itemId, fields: {} }));
    expect([change('said'), change('nobody')]).toEqual(['item.not-foreign', 'item.unknown']);
  });
});

describe('media time', () => {
  const place = (stamps: readonly [mediaMs: number, positionMs: number][]) => {
    const time = new MediaTime();
    return stamps.map(([mediaMs, positionMs]) => time.place(mediaMs, positionMs)).at(-1);
  };

  it.each([
    ['begins anywhere', [[123_456, 0]], [0, 0]],
    [
      'follows on',
      [
        [5000, 0],
        [5020, 20],
      ],
      [0, 0],
    ],
    [
      'has a gap where it jumps',
      [
        [5000, 0],
        [5100, 20],
      ],
      [80, 0],
    ],
    [
      'leaves out what came already',
      [
        [5000, 0],
        [5010, 20],
      ],
      [0, 10],
    ],
    [
      'is rounded',
      [
        [5000, 0],
        [5024, 20],
      ],
      [0, 0],
    ],
    [
      'begins anew where it jumps by more than any gap',
      [
        [5000, 0],
        [90_000, 20],
      ],
      [0, 0],
    ],
    [
      'goes on from there',
      [
        [5000, 0],
        [90_000, 20],
        [90_060, 40],
      ],
      [40, 0],
    ],
    [
      'begins anew when it falls back',
      [
        [50_000, 0],
        [10, 20],
      ],
      [0, 0],
    ],
  ] as [string, [number, number][], [number, number]][])('%s', (_, stamps, [gapMs, skipMs]) => {
    expect(place(stamps)).toEqual({ gapMs, skipMs });
  });
});

describe('audio with media times', () => {
  it('counts a gap as time, and what comes twice once', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ turnDetection: VAD });
    const push = (mediaMs: number, speaks: boolean) =>
      caller.session.send({ type: 'audio', samples: packet(speaks, 20), mediaMs });
    push(1000, false);
    push(1020, false);
    push(1020, false);
    // 400 ms were not sent.
    for (let mediaMs = 1440; mediaMs < 1840; mediaMs += 20) push(mediaMs, true);
    expect(caller.last('speech.started')).toMatchObject({ audioStartMs: 440 });
  });

  it('that is named as lost is no speech, but belongs to the turn that it falls into', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ turnDetection: VAD });
    const lose = (samples: Float32Array) => caller.session.send({ type: 'audio', samples, lost: true });
    // A concealment may sound like a voice.
    for (let i = 0; i < 30; i++) lose(packet(true, 20));
    expect(caller.all('speech.started')).toEqual([]);
    await caller.say(400);
    for (let i = 0; i < 5; i++) lose(new Float32Array(320).fill(0.07));
    await caller.silence(1000);
    const [content] = caller.session.items[0].content;
    if (content.type !== 'audio') throw new Error('not a spoken turn');
    expect(content.samples.filter(sample => Math.abs(sample - 0.07) < 1e-6)).toHaveLength(5 * 320);
  });

  it('is lost in every frame that holds a part of what was', () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ turnDetection: VAD });
    // Ten milliseconds of each, for as long as would be an onset: no frame is whole.
    for (let i = 0; i < 40; i++)
      caller.session.send({ type: 'audio', samples: packet(true, 10), lost: i % 2 === 0 });
    expect(caller.all('speech.started')).toEqual([]);
  });
});

describe('keys of a telephone', () => {
  const press = (send: (command: SessionCommand) => void, keys: string) => {
    for (const digit of keys) send({ type: 'dtmf', digit });
  };
  const entries = (caller: ReturnType<SessionRig['open']>) =>
    caller.session.items.flatMap(({ content, role }) =>
      role === 'user' && content[0].type === 'text' ? [content[0].text] : [],
    );

  it('become an item when # or a rest ends them, and are answered', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ turnDetection: VAD });
    press(command => caller.session.send(command), '12#');
    expect(entries(caller)).toEqual(['12#']);
    await caller.wait(8000);
    expect(caller.all('response.done')).toHaveLength(1);
    press(command => caller.session.send(command), '9');
    await caller.wait(1999);
    expect(entries(caller)).toEqual(['12#']);
    await caller.wait(1);
    expect(entries(caller)).toEqual(['12#', '9']);
    await caller.wait(8000);
    expect(caller.all('response.done')).toHaveLength(2);
  });

  it('that are pressed while the agent speaks are answered after it', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ turnDetection: VAD });
    await caller.say(400);
    await caller.silence(800);
    expect(caller.state).toBe('agentSpeaking');
    press(command => caller.session.send(command), '1#');
    expect(caller.all('response.created')).toHaveLength(1);
    await caller.wait(8000);
    expect(caller.all('response.done').map(({ status }) => status.kind)).toEqual(['completed', 'completed']);
  });

  it('are not answered where nobody asked for replies, and refused where there is no such key', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ turnDetection: { mode: 'manual' } });
    for (const digit of ['', '12', 'E', '１'])
      expect(codeOf(() => caller.session.send({ type: 'dtmf', digit }))).toBe('dtmf.unknown');
    press(command => caller.session.send(command), '*1#');
    await caller.wait(5000);
    expect([entries(caller), caller.all('response.created')]).toEqual([['*1#'], []]);
    caller.session.close('over');
    expect(codeOf(() => caller.session.send({ type: 'dtmf', digit: '1' }))).toBe('session.ended');
  });
});

describe('a recording', () => {
  it('holds commands of all kinds as they were said', async () => {
    const rig = new RecordingRig({ replies: REPLIES });
    const session = rig.runtime.openSession({ turnDetection: VAD }, { id: 'caller' });
    session.send({ type: 'dtmf', digit: '7' });
    for (let at = 0; at < 4000; at += 20) {
      await rig.clock.virtual.runFor(20);
      const [speaks, lost] = [at > 400 && at < 1000, at % 300 === 0];
      session.send({ type: 'audio', samples: packet(speaks, 20), mediaMs: at + (at > 700 ? 100 : 0), lost });
    }
    const output = { role: 'tool', content: [{ type: 'call.output', callId: 'c', output: '1' }] } as const;
    session.send({ type: 'item.add', item: output, after: null });
    session.close('over');
    await rig.clock.virtual.runFor(200);
    const { divergence, events } = await rig.replay();
    expect(divergence).toBeNull();
    expect(events).toEqual([...recordedEvents(rig.recording())]);
  });
});
