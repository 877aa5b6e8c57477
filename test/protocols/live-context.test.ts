/** What a client adds, mutes and plays while the agent and the user speak, under the virtual clock. */
import { TranscriptGrouper } from 'openai/lib/live/transcript-grouper';
import type { ServerEvent } from 'openai/resources/live/live';
import { describe, expect, it } from 'vitest';
import { createRandom, integer } from '../../actors/core/index.ts';
import { type LiveClient, LiveRig } from '../support/live-rig.ts';

const LONG = 'Once upon a time there was a sea, and a ship on it.';
const SHORT = 'Yes.';
const rig = (options = {}) =>
  new LiveRig({ replies: [[{ text: LONG, frames: 80 }], [{ text: SHORT, frames: 10 }]], ...options });

/** Every 100 ms of the reply hold sound. */
function expectNoBreak(client: LiveClient, fromMs: number, toMs: number): void {
  const { samples } = client.line();
  for (let at = fromMs; at < toMs; at += 100) {
    const isLoud = samples.subarray(at * 24, (at + 100) * 24).some(sample => sample !== 0);
    expect([at, isLoud]).toEqual([at, true]);
  }
}

describe('what is added to the context', () => {
  it.each(['instructions', 'thinking'] as const)(
    '%s do not break a reply off, and are there at the next turn',
    async kind => {
      const live = rig();
      const client = live.started({ instructions: 'Be brief.' });
      await client.say(600);
      await client.silence(1500);
      client.append(kind, 'The sea is red.');
      const appended = client.last(`session.${kind}.appended`);
      expect(appended).toMatchObject({ client_event_id: `${kind} 1`, start_ms: 2100, end_ms: 2100 });
      await client.silence(5000);
      expect(client.said('output')).toBe(LONG);
      expectNoBreak(client, 1500, 5900);
      await client.say(600);
      await client.silence(2000);
      expect(client.said('output')).toBe(`${LONG}${SHORT}`);
      const context = live.contextText(1);
      expect(context).toContain('The sea is red.');
      expect(context.indexOf('The sea is red.')).toBeLessThan(context.lastIndexOf(SHORT));
      // Instructions stand first, and so outlive the oldest turns.
      if (kind === 'instructions') expect(context.indexOf('The sea is red.')).toBeLessThan(40);
      else expect(context.indexOf('The sea is red.')).toBeGreaterThan(context.indexOf(LONG.slice(0, 9)));
      expect(client.errors).toEqual([]);
    },
  );

  it('commentary is told at once where nobody speaks, and without a microphone', async () => {
    const live = rig();
    const client = live.started();
    await client.wait(1000);
    client.append('commentary', 'The ship has come.');
    await client.wait(6000);
    expect(client.said('output')).toBe(LONG);
    expect(live.contextText(1)).toContain('The ship has come.');
    expect(client.last('session.commentary.appended')).toMatchObject({ start_ms: 1000, end_ms: 1000 });
  });

  it('commentary that comes while somebody speaks is told afterwards, once', async () => {
    const client = rig().started();
    await client.say(600);
    await client.silence(2000);
    client.append('commentary', 'The ship has come.');
    client.append('commentary', 'It is blue.');
    await client.silence(10_000);
    expect(client.said('output')).toBe(`${LONG}${SHORT}`);
    // And not into the user's turn either.
    await client.say(400);
    client.append('commentary', 'It is red.');
    await client.say(400);
    expect(client.said('output')).toBe(`${LONG}${SHORT}`);
    await client.silence(15_000);
    expect(client.said('output')).toBe(`${LONG}${SHORT}${LONG}${SHORT}`);
    expect(client.errors).toEqual([]);
  });

  it('begins with the history that the client gives', async () => {
    const live = rig();
    const client = live.started({
      instructions: 'Be brief.',
      input: [
        { role: 'developer', content: [{ text: 'The user is Ann.' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello?' }] },
        { role: 'assistant', content: [{ type: 'output_text', text: 'Hello Ann.' }] },
      ],
    });
    await client.say(600);
    await client.silence(6000);
    const context = live.contextText(1);
    const places = ['Be brief.', 'The user is Ann.', 'Hello?', 'Hello Ann.', 'Once'].map(text =>
      context.indexOf(text),
    );
    expect(places.every(at => at >= 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(client.last('session.started').session.input).toHaveLength(3);
  });
});

describe('muted', () => {
  it('the user is not heard, although the sound goes on; the agent is not disturbed', async () => {
    const client = rig().started();
    await client.say(600);
    await client.silence(1500);
    client.send({ type: 'session.input_audio.mute', event_id: 'm' });
    expect(client.last('session.input_audio.muted')).toMatchObject({ client_event_id: 'm' });
    await client.say(1500);
    await client.silence(4000);
    expect(client.said('output')).toBe(LONG);
    expectNoBreak(client, 1500, 5900);
    client.send({ type: 'session.input_audio.unmute' });
    client.last('session.input_audio.unmuted');
    await client.say(600);
    await client.silence(2000);
    expect(client.said('output')).toBe(`${LONG}${SHORT}`);
  });
});

describe('a fixture', () => {
  const tone = (ms: number) => Buffer.from(new Int16Array(ms * 24).fill(1000).buffer).toString('base64');
  const play = (client: LiveClient, audio: string, event_id = 'f') =>
    client.send({ type: 'session.output_audio.fixture.play', audio, event_id });

  it('takes the place of the agent’s speech, whole and at real time; nothing of the user’s counts meanwhile', async () => {
    const client = rig().started();
    await client.say(600);
    await client.silence(1500);
    play(client, tone(2000));
    client.last('session.output_audio.fixture.playing');
    client.append('thinking', 'Hm.');
    play(client, tone(20), 'second');
    expect(client.errors).toMatchObject([{ code: 'fixture_active' }, { code: 'fixture_active' }]);
    await client.say(1900);
    await client.silence(200);
    const { samples } = client.line();
    expect(samples.filter(sample => sample === 1000).length).toBe(2000 * 24);
    const played = client.last('session.output_audio.fixture.played');
    expect(played).toMatchObject({ client_event_id: 'f' });
    expect(played.atMs).toBeGreaterThan(2100 + 2000 - 100);
    const said = client.said('output');
    await client.silence(3000);
    expect(client.said('output')).toBe(said);
    await client.say(600);
    await client.silence(2000);
    expect(client.said('output').length).toBeGreaterThan(said.length);
  });

  it.each([
    ['', 'invalid_audio'],
    [tone(30_001), 'string_above_max_length'],
    ['AAAA', 'invalid_audio'],
    ['!', 'invalid_base64'],
  ])('that is none is refused before anything stops', async (audio, code) => {
    const client = rig().started();
    await client.say(600);
    await client.silence(1500);
    play(client, audio);
    expect(client.errors).toMatchObject([{ code, param: 'audio', client_event_id: 'f' }]);
    await client.silence(5000);
    expect(client.said('output')).toBe(LONG);
  });
});

describe('the transcripts of both sides', () => {
  it('never go back on the one timeline, in any order of speech, and the stock helper takes all of them', async () => {
    for (const seed of [1, 2, 3]) {
      const random = createRandom(seed);
      const client = rig({ captions: true }).started();
      for (let turn = 0; turn < 8; turn++) {
        await client.say(300 + 20 * integer(random, 60));
        await client.silence(300 + 20 * integer(random, 120));
      }
      await client.silence(6000);
      const fragments = client.events.filter(({ type }) => type.endsWith('_transcript.delta'));
      const sides = new Set(fragments.map(({ type }) => type));
      expect(sides.size).toBe(2);
      let [last, lastAt] = [0, 0];
      for (const { start_ms, end_ms, atMs, event_id } of fragments) {
        expect(Number.isInteger(start_ms) && Number.isInteger(end_ms)).toBe(true);
        expect(start_ms).toBeGreaterThanOrEqual(last);
        expect(end_ms).toBeGreaterThanOrEqual(start_ms);
        // Told when it happens: its text is no further than the line.
        expect(end_ms).toBeLessThanOrEqual(atMs + 100);
        expect(event_id).toEqual(expect.any(String));
        expect(atMs).toBeGreaterThanOrEqual(lastAt);
        [last, lastAt] = [start_ms, atMs];
      }
      const grouper = new TranscriptGrouper();
      const reasons: string[] = [];
      grouper.on('segment.closed', ({ reason }) => reasons.push(reason));
      client.send({ type: 'session.close' });
      for (const event of client.events) grouper.push(event as unknown as ServerEvent);
      expect(reasons.length).toBeGreaterThan(2);
      expect(reasons).not.toContain('timestamp_reset');
    }
  });
});
