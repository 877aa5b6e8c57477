/**
 * What the page makes of GPT-Live, with the real door and session, under the virtual clock; without a document or a
 * browser's sound.
 */
import { expect, test } from 'vitest';
import { Live } from '../../web/talk/live/live.js';
import type { Conversation } from '../../web/talk/conversation.js';
import { Recording } from '../../web/talk/recording.js';
import { Statistics } from '../../web/talk/statistics.js';
import { type Turn, Turns } from '../../web/talk/turns.js';
import { LiveRig } from '../support/live-rig.ts';

const FRAME_MS = 20;
const STORY = 'A very long story that has no end at all, ever.';

function pageOn(rig: LiveRig, carriesMedia = false) {
  const server = rig.connect();
  let seen = 0;
  const page = {
    settings: { instructions: 'Be brief.' },
    statistics: new Statistics(),
    recording: new Recording(),
    turns: new Turns(
      () => {},
      () => {},
    ),
    view: { model: () => {}, announcer: { turn: ({ text }: { text: string }) => page.announced.push(text) } },
    announced: [] as string[],
    states: [] as string[],
    problems: [] as string[],
    failed: [] as string[],
    live: false,
    sounded: [] as [itemId: string, samples: number][],
    input: { sentSamples: 0, state: 'on' },
    connection: { carriesMedia, transport: null },
    replayer: { stop() {} },
    replies: {
      player: { finish: (id: string) => page.sounded.push([`end of ${id}`, 0]) },
      sound(id: string, samples: Float32Array) {
        page.sounded.push([id, samples.length]);
        page.recording.received(id, samples, page.nowMs());
      },
      itemOver: (id: string) =>
        page.turns.ofAgent(id, (turn: { complete(of: null): void }) => turn.complete(null)),
    },
    nowMs: () => rig.clock.nowMs(),
    send: (event: object) => server.send({ ...event }),
    agentIs: (state: string) => page.states.push(state),
    isLive: () => {
      page.live = true;
    },
    problem: ({ message }: { message: string }) => page.problems.push(message),
    fail: async ({ message }: { message: string }) => void page.failed.push(message),
  };
  const live = new Live(page as unknown as Conversation);
  const read = () => {
    for (; seen < server.events.length; seen++) {
      const event = server.events[seen];
      (live.handlers[event.type] as ((event: object) => void) | undefined)?.(event);
    }
  };
  return {
    ...{ live, page, server, read },
    async talk(ms: number, level = 0) {
      for (let at = 0; at < ms; at += FRAME_MS) {
        await server.wait(FRAME_MS);
        const pcm = new Int16Array(FRAME_MS * 24).fill(level * 32_767);
        page.input.sentSamples += pcm.length;
        page.recording.sent(pcm, page.nowMs());
        live.hear(pcm);
        read();
      }
    },
    /** Both sides in order. */
    said: () =>
      [...page.turns.all.values()].map((turn: Turn) => ('text' in turn ? [turn.side, turn.text] : [])),
  };
}

test('a conversation with an interruption: its turns, their words, their sound, and what the page says meanwhile', async () => {
  const rig = new LiveRig({
    captions: true,
    replies: [[{ text: STORY, frames: 60 }]],
  });
  const { live, page, said, server, talk } = pageOn(rig);
  live.opened();
  await talk(600, 0.3);
  expect(page.live).toBe(true);
  await talk(2200);
  await talk(800, 0.3);
  await talk(6000);
  const [asked, told, stopped, answer, ...more] = said();
  expect([asked[0], told[0], stopped[0], answer, more]).toEqual([
    'user',
    'agent',
    'user',
    ['agent', STORY],
    [],
  ]);
  // It is shown as far as it was told, and as interrupted; the answer that came to its end is not.
  expect(STORY.startsWith(told[1])).toBe(true);
  expect(told[1].length).toBeLessThan(STORY.length - 5);
  const agents = [...page.turns.all.values()].filter((turn: Turn) => turn.side === 'agent');
  expect(agents.map(({ interrupted }) => interrupted)).toEqual([true, false]);
  expect(page.statistics).toMatchObject({ answers: 2, interrupted: 1, questions: 2, errors: 0 });
  expect(page.states).toEqual([
    ...['userSpeaking', 'agentSpeaking', 'interrupted', 'userSpeaking', 'agentSpeaking', 'idle'],
  ]);
  // The silence of the line is no sound of anybody's.
  const sent = server.line().samples.filter(sample => sample !== 0).length;
  const sounded = page.sounded.reduce((sum, [, samples]) => sum + samples, 0);
  expect(sounded - sent).toBeLessThan(0.05 * sent);
  // What the person said can be heard again, and is what was said.
  const [you] = [...page.turns.all.values()];
  const sound = page.recording.soundOf(you.id)!;
  expect(sound.length / 24).toBeGreaterThan(400);
  expect(sound.filter(sample => sample !== 0).length / 24).toBeGreaterThan(400);
  expect([page.problems, page.failed]).toEqual([[], []]);
});

test('what is written is told when the server has it; mute and added instructions reach it', async () => {
  const rig = new LiveRig({ replies: [[{ text: 'Seven.', frames: 20 }]] });
  const { live, page, said, server, talk } = pageOn(rig);
  live.opened();
  // Nothing is sent before the session is there.
  live.hear(new Int16Array(480));
  await talk(100);
  live.writes('What is three plus four?');
  live.set({ instructions: 'Speak slowly.' });
  live.mutes(true);
  await talk(3000, 0.3);
  expect(said()).toEqual([
    ['user', 'What is three plus four?'],
    ['agent', 'Seven.'],
  ]);
  expect(server.all('session.input_audio.muted')).toHaveLength(1);
  expect(server.all('session.instructions.appended')).toHaveLength(1);
  live.ends();
  expect(server.last('session.closed')).toMatchObject({ reason: 'close_requested' });
  expect([server.errors, page.problems]).toEqual([[], []]);
});

test('a start that is refused is the end, and is said; what is refused later is said', async () => {
  const rig = new LiveRig();
  const refused = pageOn(rig);
  refused.server.send({ type: 'session.start', session: { model: 'any', store: true } });
  refused.read();
  expect(refused.page.failed).toEqual([
    'Sessions are not stored here, so none can be forked. [param: session.store]',
  ]);
  const { live, page, read, server } = pageOn(rig);
  live.opened();
  read();
  server.send({ type: 'decision.create', event_id: 'd' });
  read();
  expect([page.failed, page.problems.length]).toEqual([[], 1]);
});

test('over a track the session is what the offer says, and the turns are those of the track', () => {
  const { live, page, read } = pageOn(new LiveRig(), true);
  live.opened();
  read();
  expect(page.live).toBe(false);
  const { session } = JSON.parse(live.door.offer('v=0'));
  expect(session).toEqual({ model: 'gpt-live-1', instructions: 'Be brief.' });
  const plays: string[] = [];
  Object.assign(page.replies, { playsItem: (id: string) => plays.push(id) });
  const frame = new Int16Array(480);
  for (const level of [0, 0.2, 0.2, ...Array(40).fill(0), 0.3]) live.sounds(frame, level);
  expect(plays).toEqual(['agent 1', 'agent 1', 'agent 2']);
});
