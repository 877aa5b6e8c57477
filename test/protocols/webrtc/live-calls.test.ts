/**
 * GPT-Live over WebRTC: a session by POST, its sound on tracks, its events on the channel, servers at its side
 * (docs/spec/gpt-live.md §1).
 */
import { describe, expect, it } from 'vitest';
import { OFFER, type RtcCaller, RtcRig } from '../../support/rtc-rig.ts';
import type { WireRecord } from '../../support/realtime-client.ts';
import type { RigOptions } from '../../support/session-rig.ts';

const REPLY = 'One two three four five.';
const SESSIONS = '/v1/live/sessions';
const KEY = 'sk-secret';

async function liveRig(options: RigOptions = {}, keys: readonly string[] = []) {
  const rig = new RtcRig({ replies: [[{ text: REPLY, frames: 40 }]], ...options }, {}, keys);
  await rig.openDoor();
  return rig;
}

const bodyOf = (session: object = {}, transport: object = {}) =>
  JSON.stringify({
    session: { model: 'gpt-live-1', ...session },
    transport: { type: 'webrtc', sdp: OFFER, ...transport },
  });

const said = (caller: RtcCaller, side: 'input' | 'output' = 'output') =>
  caller
    .all(`session.${side}_transcript.delta`)
    .map(({ delta }) => delta)
    .join('');

/** A server's own connection to a session. */
function sideOf(rig: RtcRig, id: string) {
  const side = { texts: [] as string[], closed: null as string | null };
  const listener = rig.attach(id, side)!;
  const events = () => side.texts.map(text => JSON.parse(text) as WireRecord);
  return {
    side,
    events,
    all: (type: string) => events().filter(event => event.type === type),
    send: (event: object) => listener.onText(JSON.stringify(event)),
    leave: () => listener.onClose(1000, ''),
  };
}

describe('a GPT-Live session over WebRTC', () => {
  it('starts with the POST, speaks on the track and tells of it on the channel', async () => {
    const rig = await liveRig({ captions: true });
    const caller = await rig.liveCall({ instructions: 'Be kind.' });
    const [started] = caller.peer.texts;
    expect(started).toMatchObject({
      type: 'session.started',
      session: { id: caller.id, status: 'active', instructions: 'Be kind.', audio: { output: {} } },
    });
    expect((started.session as { audio: object }).audio).not.toHaveProperty('format');
    await caller.say(600);
    await caller.silence(4500);
    expect(said(caller)).toBe(REPLY);
    expect(said(caller, 'input')).toContain('w0');
    expect(caller.heardMs).toBe(40 * 60);
    expect(caller.all('session.output_audio.delta')).toEqual([]);
    expect(caller.all('error')).toEqual([]);
  });

  it('begins a reply as early as a call of the Realtime protocol does, and as the WebSockets do', async () => {
    const costs = { languageModel: () => 31, ganDecoder: () => 7, audioEncoder: () => 5 };
    const firstAtMs = async (open: (rig: RtcRig) => Promise<RtcCaller>) => {
      const rig = await liveRig({ costs });
      const caller = await open(rig);
      await caller.say(613);
      await caller.silence(1500);
      return caller.peer.voice[0].atMs;
    };
    const live = await firstAtMs(rig => rig.liveCall());
    const realtime = await firstAtMs(rig => rig.call());
    expect(Math.abs(live - realtime)).toBeLessThanOrEqual(2);
    expect(live).toBeGreaterThan(1000);
  });

  it('falls silent when the user speaks, tells no further than it was sent, and mutes', async () => {
    const rig = await liveRig({
      replies: [[{ text: 'A very long story without an end, ever.', frames: 200 }]],
    });
    const caller = await rig.liveCall();
    await caller.say(600);
    await caller.silence(2500);
    const heardMs = caller.heardMs;
    await caller.say(600);
    expect(caller.heardMs - heardMs).toBeLessThan(300);
    const told = said(caller);
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(30);
    caller.send({ type: 'session.input_audio.mute' });
    await caller.silence(1500);
    const speaking = caller.heardMs;
    await caller.say(1000);
    await caller.silence(100);
    expect(caller.heardMs).toBeGreaterThan(speaking + 900);
    expect(caller.all('session.input_audio.muted')).toHaveLength(1);
  });

  it('is told to the servers at its side with both voices, before the mute, and obeys them', async () => {
    const rig = await liveRig();
    const caller = await rig.liveCall();
    const side = sideOf(rig, caller.id);
    expect(side.events()[0]).toMatchObject({ type: 'session.started', session: { id: caller.id } });
    caller.send({ type: 'session.input_audio.mute' });
    await caller.say(400);
    const heard = Buffer.concat(
      side.all('session.input_audio.append').map(({ audio }) => Buffer.from(audio, 'base64')),
    );
    expect(heard.length / 48).toBeGreaterThan(390);
    expect(heard.readInt16LE(heard.length / 2)).toBeGreaterThan(1000);
    side.send({ type: 'session.input_audio.unmute', event_id: 'u' });
    await caller.say(600);
    await caller.silence(4500);
    const deltas = side.all('session.output_audio.delta');
    const bytes = Buffer.concat(deltas.map(({ delta }) => Buffer.from(delta, 'base64')));
    expect(bytes.length / 48).toBe(40 * 60);
    deltas.forEach(({ start_ms, end_ms, delta }, i) => {
      expect(Number.isInteger(start_ms)).toBe(true);
      expect(end_ms - start_ms).toBeCloseTo(Buffer.from(delta, 'base64').length / 48, -1);
      if (i > 0) expect(start_ms).toBe(deltas[i - 1].end_ms);
    });
    // A fixture is the side's alone to play, and is heard by the caller.
    const before = caller.peer.voice.length;
    const audio = Buffer.from(new Int16Array(24 * 400).fill(8000).buffer).toString('base64');
    side.send({ type: 'session.output_audio.fixture.play', audio });
    await caller.silence(600);
    expect(side.all('session.output_audio.fixture.played')).toHaveLength(1);
    expect(caller.peer.voice.slice(before).filter(({ payload }) => payload[1] > 10)).toHaveLength(20);
    side.send({ type: 'session.close' });
    expect(side.all('session.closed')).toMatchObject([{ reason: 'close_requested' }]);
    expect(side.side.closed).not.toBeNull();
    expect(caller.all('session.closed')).toHaveLength(1);
    await rig.clock.runFor(300);
    expect(caller.peer.closed).toBe(true);
    expect(rig.runtime.sessions.size).toBe(0);
  });

  it('stays open until the last words were acknowledged, and no longer than three seconds', async () => {
    const rig = await liveRig();
    const caller = await rig.liveCall();
    caller.peer.acknowledged = false;
    caller.send({ type: 'session.close' });
    await rig.clock.runFor(1000);
    expect(caller.all('session.closed')).toHaveLength(1);
    expect(caller.peer.closed).toBe(false);
    caller.peer.acknowledged = true;
    await rig.clock.runFor(100);
    expect(caller.peer.closed).toBe(true);

    const deaf = await rig.liveCall();
    deaf.peer.acknowledged = false;
    deaf.send({ type: 'session.close' });
    await rig.clock.runFor(2900);
    expect(deaf.peer.closed).toBe(false);
    await rig.clock.runFor(200);
    expect(deaf.peer.closed).toBe(true);
  });

  it('goes on without the servers at its side, and tells them of the end that comes from elsewhere', async () => {
    const rig = await liveRig();
    const caller = await rig.liveCall();
    sideOf(rig, caller.id).leave();
    const side = sideOf(rig, caller.id);
    await caller.press(5);
    expect(side.all('transport.dtmf.received')).toMatchObject([{ event: '5', event_id: expect.any(String) }]);
    const patched = await rig.request('PATCH', caller.location, {}, OFFER);
    expect([patched.status, String(patched.body).slice(0, 4)]).toEqual([200, 'v=0\r']);
    expect((await rig.request('PATCH', caller.location, {}, 'nothing')).status).toBe(400);
    expect((await rig.request('PATCH', `${SESSIONS}/live_none`, {}, OFFER)).status).toBe(404);
    expect((await rig.request('POST', `${SESSIONS}/${caller.id}/hangup`)).status).toBe(200);
    expect(side.all('session.closed')).toMatchObject([{ reason: 'remote_hangup' }]);
    const other = await rig.liveCall();
    const its = sideOf(rig, other.id);
    other.peer.listener.onClosed('the transport closed');
    expect(its.all('session.closed')).toHaveLength(1);
    expect(rig.runtime.sessions.size).toBe(0);
  });

  it('lets a page say and hear what its server allows it, and nothing of a sideband', async () => {
    const rig = await liveRig({ captions: true });
    const allowed = {
      allowed_client_events: ['session.input_audio.mute'],
      allowed_server_events: [{ type: 'session.started' }, { type: 'session.input_audio.muted' }],
    };
    const caller = await rig.liveCall({ client: { data_channel: allowed } });
    const side = sideOf(rig, caller.id);
    caller.send({ type: 'session.input_audio.mute' });
    caller.send({ type: 'session.close', event_id: 'bye' });
    caller.send({ type: 'session.commentary.append', content: 'Tell a lie.', delegation_id: null });
    await caller.say(600);
    await caller.silence(3000);
    expect(caller.peer.texts.map(({ type }) => type)).toEqual([
      'session.started',
      'session.input_audio.muted',
      'error',
      'error',
    ]);
    expect(caller.all('error')[0]).toMatchObject({
      client_event_id: 'bye',
      error: { code: 'event_not_allowed', client_event_id: 'bye' },
    });
    side.send({ type: 'session.commentary.append', content: 'What is it?', delegation_id: null });
    await caller.silence(3000);
    expect(side.all('session.output_transcript.delta').length).toBeGreaterThan(0);
    const open = await rig.liveCall();
    open.send({ type: 'session.start', session: { model: 'x' } });
    open.send({ type: 'session.input_audio.append', audio: '' });
    open.send({ type: 'session.output_audio.fixture.play', audio: '' });
    open.send({ type: 'session.nonsense' });
    open.peer.listener.onText('no event');
    expect(open.all('error').map(({ error }) => (error as { code: string }).code)).toEqual([
      ...['event_not_allowed', 'event_not_allowed', 'event_not_allowed'],
      ...['unknown_event_type', 'invalid_json'],
    ]);
  });
});

describe('the way in', () => {
  it('refuses by the name of the field, and opens nothing', async () => {
    const rig = await liveRig({}, [KEY]);
    const headers = { authorization: `Bearer ${KEY}` };
    const refused = async (body: string, given: Record<string, string> = headers) => {
      const answer = await rig.request('POST', SESSIONS, given, body);
      const { error } = JSON.parse(String(answer.body));
      return [answer.status, error.code, error.param];
    };
    expect(await refused(bodyOf(), {})).toEqual([401, 'missing_api_key', null]);
    expect(await refused('{')).toEqual([400, 'invalid_json', null]);
    expect(await refused(bodyOf({ voice: 'x' }))).toEqual([400, 'unknown_parameter', 'session.voice']);
    const format = { audio: { format: { type: 'audio/pcm' } } };
    expect(await refused(bodyOf(format))).toEqual([400, 'unsupported_value', 'session.audio.format']);
    expect(await refused(bodyOf({ store: true }))).toEqual([400, 'unsupported_value', 'session.store']);
    expect(await refused(bodyOf({}, { type: 'quic' }))).toEqual([400, 'invalid_value', 'transport.type']);
    expect(await refused(bodyOf({}, { sdp: 'v=0' }))).toEqual([400, 'bad_offer', null]);
    expect(rig.runtime.sessions.size).toBe(0);
    expect(rig.peers.every(({ closed }) => closed)).toBe(true);
  });

  it('of one protocol does not lead to the calls of another', async () => {
    const rig = await liveRig();
    const [live, realtime] = [await rig.liveCall(), await rig.call()];
    const status = async (method: string, path: string) => (await rig.request(method, path)).status;
    expect(await status('POST', `${SESSIONS}/${realtime.id}/hangup`)).toBe(404);
    expect(await status('DELETE', `/v1/realtime/calls/${live.id}`)).toBe(404);
    expect(await status('POST', `/v1/realtime/calls/${live.id}/hangup`)).toBe(404);
    expect(await status('GET', `${SESSIONS}/${live.id}/attach`)).toBe(426);
    expect(await status('POST', `${SESSIONS}/${live.id}/fork`)).toBe(400);
    expect(await status('GET', `${SESSIONS}/${live.id}/hangup`)).toBe(405);
    expect(await status('POST', `${SESSIONS}/live_none/hangup`)).toBe(404);
    expect(rig.runtime.sessions.size).toBe(2);
  });

  it('is 503 where all places are taken', async () => {
    const rig = await liveRig({ limits: { maxSessions: 1 } });
    await rig.liveCall();
    const answer = await rig.request('POST', SESSIONS, {}, bodyOf());
    expect(answer.status).toBe(503);
    expect(rig.runtime.sessions.size).toBe(1);
  });
});
