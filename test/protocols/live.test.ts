/** The GPT-Live door over the real session, under the virtual clock: what docs/spec/gpt-live.md says a client sees. */
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import type { Waterfall } from '../../actors/core/trace.ts';
import { EventOutlet } from '../../protocols/live/event-outlet.ts';
import { OutputLine } from '../../protocols/live/output-line.ts';
import { Timeline } from '../../protocols/live/timeline.ts';
import { type LiveClient, LiveRig } from '../support/live-rig.ts';
import { wireRig } from '../support/wire-rig.ts';

const REPLY = 'Yes, I can hear you. Go on.';
const rig = (options = {}) => new LiveRig({ replies: [[{ text: REPLY, frames: 40 }]], ...options });
/** Of the turn's own silence, and the reply. */
const TURN_MS = 700;

describe('a session', () => {
  it('starts with everything resolved, and the server says nothing before', async () => {
    const client = rig().connect({ instructions: 'Be kind.' });
    await client.wait(500);
    expect(client.events).toEqual([]);
    client.start({ audio: { output: { voice: 'cedar' } } });
    expect(client.events[0]).toMatchObject({
      type: 'session.started',
      event_id: expect.any(String),
      client_event_id: 'start',
      session: {
        id: expect.stringMatching(/^live_/),
        expires_at: 1_801_000_000,
        status: 'active',
        model: 'test',
        instructions: 'Be kind.',
        input: [],
        audio: { format: { type: 'audio/pcm', rate: 24_000 }, output: { voice: 'cedar' } },
        delegation: { type: 'client', acknowledgement_delay_ms: 0 },
        triggers: [],
        store: false,
        safety_identifier: null,
      },
    });
  });

  it('says what was said in the agent’s words and in the user’s, with its sound', async () => {
    const client = rig({ captions: true }).started();
    await client.say(800);
    await client.silence(TURN_MS + 3000);
    expect(client.said('output')).toBe(REPLY);
    expect(client.said('input')).toContain('w0');
    const { samples } = client.line();
    expect(samples.some(sample => sample !== 0)).toBe(true);
    expect(client.errors).toEqual([]);
  });

  it('tells all the words of a reply that the operator’s bound ends', async () => {
    const client = rig().started({}, { maxReplySteps: 20 });
    await client.say(800);
    await client.silence(4000);
    const said = client.said('output');
    expect(said.length).toBeGreaterThan(5);
    expect(REPLY.startsWith(said)).toBe(true);
    expect(client.errors).toEqual([]);
  });

  it('is over when the client closes it, and tells how long it was', async () => {
    const client = rig().started();
    await client.wait(1500);
    client.send({ type: 'session.close', event_id: 'bye' });
    expect(client.last('session.closed')).toMatchObject({
      reason: 'close_requested',
      client_event_id: 'bye',
      usage: { seconds: 1.5 },
      session: { status: 'active' },
    });
    expect(client.closed).toMatchObject({ code: 1000 });
    const count = client.events.length;
    await client.wait(1000);
    expect(client.events.length).toBe(count);
  });
});

/** The most that may be ahead. */
const LEAD_MS = 100;

/** Silence and sound alternate at the pace of the clock: neither late nor more than 100 ms ahead. */
function expectRealTime(client: LiveClient, startedAtMs: number): void {
  for (const { atMs, to } of client.line().deltas) {
    const aheadMs = to / 24 - (atMs - startedAtMs);
    expect(aheadMs).toBeLessThanOrEqual(LEAD_MS);
    expect(aheadMs).toBeGreaterThan(-1);
  }
}

/** Where the line holds sound, in milliseconds. */
function soundSpans(client: LiveClient): { fromMs: number; toMs: number }[] {
  const { samples } = client.line();
  const spans: { fromMs: number; toMs: number }[] = [];
  for (let at = 0; at < samples.length; at++) {
    if (samples[at] === 0) continue;
    const ms = at / 24;
    const last = spans.at(-1);
    // Words have pauses of their own.
    if (last && ms - last.toMs < 15) last.toMs = ms;
    else spans.push({ fromMs: ms, toMs: ms });
  }
  return spans;
}

/** When the client had the first sound of the agent's. */
function firstSoundAt(client: LiveClient | ReturnType<ReturnType<typeof wireRig>['connect']>): number {
  if (!('line' in client)) return client.all('response.output_audio.delta')[0].atMs;
  const { deltas, samples } = client.line();
  return deltas.find(({ from, to }) => samples.subarray(from, to).some(sample => sample !== 0))!.atMs;
}

describe('the line to the client', () => {
  it('never ends, keeps real time, and is digital silence where nobody speaks', async () => {
    const client = rig().started();
    await client.silence(1000);
    await client.say(600);
    await client.silence(5000);
    expectRealTime(client, 0);
    const { samples, deltas } = client.line();
    expect(samples.length / 24).toBeGreaterThanOrEqual(6580);
    expect(Math.max(...deltas.map(({ from, to }) => (to - from) / 24))).toBeLessThanOrEqual(60);
    const spans = soundSpans(client);
    expect(spans).toHaveLength(1);
    expect(spans[0].toMs - spans[0].fromMs).toBeCloseTo(40 * 60, -2);
    expect(samples.subarray(0, 1600 * 24).every(sample => sample === 0)).toBe(true);
  });

  it('brings the first sound at the moment the reply has it, not at the next frame', async () => {
    const client = rig().started();
    await client.say(610);
    await client.silence(1000);
    const { deltas, samples } = client.line();
    const first = deltas.find(({ from, to }) => samples.subarray(from, to).some(sample => sample !== 0))!;
    // Its place on the line is the moment it left.
    expect(first.from / 24 - first.atMs).toBeLessThan(1);
    expect(first.from / 24 - first.atMs).toBeGreaterThan(-1);
  });

  it.each([31, 90])(
    'has the waterfall of the Realtime door, entry by entry within 2 ms, and its first sound: steps of %i ms',
    async stepMs => {
      const costs = { languageModel: () => stepMs, ganDecoder: () => 7, audioEncoder: () => 5 };
      const seen = async (door: 'live' | 'realtime') => {
        const options = { replies: [[{ text: REPLY, frames: 40 }]], costs };
        const at = door === 'live' ? new LiveRig(options) : wireRig(options);
        const client = at instanceof LiveRig ? at.started() : at.connect();
        const [session] = at.runtime.sessions.values();
        const waterfalls: (Waterfall | null)[] = [];
        session.events$.subscribe(event => {
          if (event.type === 'turn.trace') waterfalls.push(event.trace.waterfall);
        });
        await client.say(613);
        await client.silence(5000);
        return { waterfall: waterfalls[0], count: waterfalls.length, firstMs: firstSoundAt(client) };
      };
      const [live, realtime] = [await seen('live'), await seen('realtime')];
      expect([live.count, realtime.count]).toEqual([1, 1]);
      const entries = live.waterfall!.entries;
      expect(entries.map(({ cause }) => cause)).toEqual(
        realtime.waterfall!.entries.map(({ cause }) => cause),
      );
      for (const [i, { ms }] of entries.entries())
        expect(Math.abs(ms - realtime.waterfall!.entries[i].ms)).toBeLessThanOrEqual(2);
      expect(Math.abs(live.waterfall!.totalMs - realtime.waterfall!.totalMs)).toBeLessThanOrEqual(2);
      expect(Math.abs(live.firstMs - realtime.firstMs)).toBeLessThanOrEqual(2);
      expect(live.firstMs).toBeGreaterThan(1000);
    },
  );

  it('goes silent within the times of an interruption, and stays so until the next reply', async () => {
    const client = rig({
      replies: [[{ text: 'A very long story that has no end at all, ever.', frames: 200 }]],
    }).started();
    await client.say(600);
    await client.silence(2500);
    const before = client.said('output');
    expect(before.length).toBeGreaterThan(0);
    const interruptedAtMs = 3100;
    await client.say(600);
    const spans = soundSpans(client);
    // docs/turn-taking.md: 200 ms of speech take the turn; what was sent ahead plays out.
    expect(spans.at(-1)!.toMs).toBeLessThan(interruptedAtMs + 200 + 40 + LEAD_MS);
    const said = client.said('output');
    await client.say(400);
    expect(client.said('output')).toBe(said);
    expect('A very long story that has no end at all, ever.'.startsWith(said.trim())).toBe(true);
    expect(said.length).toBeLessThan(30);
    expectRealTime(client, 0);
  });

  it('makes up for no more than a short stall of the server', async () => {
    const clock = new VirtualClock();
    let lateMs = 0;
    const late = { nowMs: () => clock.nowMs() + lateMs, setTimer: clock.setTimer.bind(clock) };
    let bytes = 0;
    const outlet = new EventOutlet({ codec: 'pcm16', rateHz: 24_000 }, part => {
      bytes += part.length;
    });
    const line = new OutputLine({ clock: late, timeline: new Timeline(late), outlet });
    clock.runForSync(1000);
    expect(bytes / 48).toBe(1000);
    lateMs = 3000;
    clock.runForSync(20);
    expect(bytes / 48).toBe(1100);
    clock.runForSync(1000);
    expect(bytes / 48).toBeCloseTo(2100, -1);
    expect(line.positionMs).toBeCloseTo(5020, -2);
    line.stop();
    clock.runForSync(1000);
    expect(bytes / 48).toBeLessThan(2130);
  });

  it.each([
    ['audio/pcm', 16_000, 32, 0],
    ['audio/pcmu', 8000, 8, 0xff],
    ['audio/pcma', 8000, 8, 0xd5],
  ])('is %s at %i Hz where the client wants it', async (type, rate, bytesPerMs, silence) => {
    const client = rig().started({ audio: { format: { type, rate } } });
    await client.wait(2000);
    const bytes = Buffer.concat(
      client.all('session.output_audio.delta').map(({ delta }) => Buffer.from(delta, 'base64')),
    );
    expect(bytes.length / bytesPerMs).toBeGreaterThan(1980);
    expect(bytes.length / bytesPerMs).toBeLessThanOrEqual(2000);
    expect(bytes.every(byte => byte === silence)).toBe(true);
  });
});
