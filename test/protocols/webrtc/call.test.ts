import { describe, expect, it } from 'vitest';
import { OFFER, RtcRig } from '../../support/rtc-rig.ts';
import type { RigOptions } from '../../support/session-rig.ts';

const REPLY_MS = 40 * 60;
const REPLY = [{ text: 'One two three four five.', frames: 40 }];

async function callRig(options: RigOptions = {}) {
  const rig = new RtcRig({ replies: [REPLY], words: true, ...options });
  await rig.openDoor();
  return rig;
}

describe('a WebRTC call', () => {
  it('is answered on the track, and told of on the channel, in the order of the protocol', async () => {
    const rig = await callRig();
    const caller = await rig.call();
    await caller.say(600);
    await caller.silence(4500);
    expect(caller.peer.texts.slice(0, 2).map(({ type }) => type)).toEqual([
      'session.created',
      'conversation.created',
    ]);
    expect(caller.all('response.output_audio.delta')).toEqual([]);
    expect(caller.all('response.done')).toHaveLength(1);
    const [created] = caller.all('response.created');
    const { id: response_id } = created.response as { id: string };
    const [started] = caller.all('output_audio_buffer.started');
    const [stopped] = caller.all('output_audio_buffer.stopped');
    expect(started).toMatchObject({ response_id });
    expect(stopped).toMatchObject({ response_id });
    // The last sample has left by the far jitter buffer.
    expect(stopped.atMs - started.atMs).toBeGreaterThanOrEqual(REPLY_MS);
    expect(stopped.atMs - started.atMs).toBeLessThanOrEqual(REPLY_MS + 100);
    expect(caller.heardMs).toBe(REPLY_MS);
    expect(caller.all('output_audio_buffer.cleared')).toEqual([]);
  });

  it('sends its voice at its pace, two packets ahead, with timestamps that follow the clock', async () => {
    const rig = await callRig();
    const caller = await rig.call();
    await caller.say(600);
    await caller.silence(4500);
    const { voice } = caller.peer;
    const [first] = voice;
    expect(first.marker).toBe(true);
    expect(voice.slice(1).some(({ marker }) => marker)).toBe(false);
    voice.forEach(({ timestamp, atMs }, i) => {
      expect(timestamp - first.timestamp).toBe(i * 960);
      expect(i * 20 - (atMs - first.atMs)).toBeLessThanOrEqual(40);
      expect(i * 20 - (atMs - first.atMs)).toBeGreaterThanOrEqual(0);
    });
    // Then a little silence, and then nothing.
    expect(voice.length * 20 - REPLY_MS).toBe(200);
  });

  it('is interrupted: the buffer is cleared, and the context keeps what was heard', async () => {
    const rig = await callRig();
    const caller = await rig.call();
    await caller.say(600);
    await caller.silence(1400);
    rig.word = 'stop';
    const before = caller.heardMs;
    expect(before).toBeGreaterThan(500);
    await caller.say(700);
    await caller.silence(200);
    const [cleared] = caller.all('output_audio_buffer.cleared');
    const [started] = caller.all('output_audio_buffer.started');
    expect(cleared).toMatchObject({ response_id: started.response_id });
    const [truncated] = caller.all('conversation.item.truncated');
    const audible = cleared.atMs - started.atMs;
    expect(truncated.audio_end_ms).toBeLessThanOrEqual(audible);
    expect(truncated.audio_end_ms).toBeGreaterThan(audible - 700);
    const [done] = caller.all('response.done');
    expect(done.response).toMatchObject({ status: 'cancelled', status_details: { reason: 'turn_detected' } });
  });

  it('stops at the client’s word: output_audio_buffer.clear', async () => {
    const rig = await callRig();
    const caller = await rig.call();
    await caller.say(600);
    await caller.silence(1400);
    caller.send({ type: 'response.cancel' });
    caller.send({ type: 'output_audio_buffer.clear' });
    await caller.silence(20);
    const sent = caller.heardMs;
    await caller.silence(500);
    expect(caller.heardMs).toBe(sent);
    expect(caller.all('output_audio_buffer.cleared')).toHaveLength(1);
    expect(caller.all('output_audio_buffer.stopped')).toEqual([]);
    expect(caller.all('error')).toEqual([]);
    const [truncated] = caller.all('conversation.item.truncated');
    expect(truncated.audio_end_ms).toBeLessThanOrEqual(sent);
    expect(truncated.audio_end_ms).toBeGreaterThanOrEqual(sent - 120);
  });

  it('hears nothing twice and nothing of its own making where packets are lost', async () => {
    const rig = await callRig();
    const caller = await rig.call();
    await caller.say(600, index => index % 5 === 3);
    await caller.silence(4500, index => index % 5 === 3);
    expect(caller.all('response.done')).toHaveLength(1);
    expect(caller.heardMs).toBe(REPLY_MS);
  });

  it('takes a caller who mutes in the middle of a sentence for one who has ended it', async () => {
    const rig = await callRig();
    const caller = await rig.call();
    await caller.say(600);
    await caller.mute(4500);
    expect(caller.all('input_audio_buffer.committed')).toHaveLength(1);
    expect(caller.all('response.done')).toHaveLength(1);
    await caller.say(600);
    await caller.silence(2000);
    expect(caller.all('input_audio_buffer.committed')).toHaveLength(2);
  });

  it('takes keys once each, and their packets for no loss', async () => {
    const rig = await callRig();
    const caller = await rig.call();
    await caller.silence(200);
    for (const key of [1, 2, 11]) {
      await caller.press(key);
      await caller.silence(200);
    }
    await caller.silence(4000);
    const items = caller
      .all('conversation.item.added')
      .map(({ item }) => item as { role: string; content: { text?: string }[] });
    const typed = items
      .filter(({ role }) => role === 'user')
      .flatMap(({ content }) => content.map(({ text }) => text));
    expect(typed).toEqual(['12#']);
  });

  it('is ended by its client, by the server, and by silence on the line, with what was said kept until then', async () => {
    const rig = await callRig();
    const asked = await rig.call();
    expect((await rig.request('POST', `${asked.location}/hangup`)).status).toBe(200);
    expect((await rig.request('DELETE', asked.location)).status).toBe(404);
    const deleted = await rig.call();
    expect((await rig.request('DELETE', deleted.location)).status).toBe(200);
    const gone = await rig.call();
    gone.peer.listener.onClosed('the transport closed');
    const dead = await rig.call();
    await dead.say(600);
    await dead.silence(600);
    const since = rig.clock.nowMs();
    expect(rig.runtime.sessions.size).toBe(1);
    await rig.clock.runFor(9000);
    expect(rig.runtime.sessions.size).toBe(1);
    await rig.clock.runFor(2100);
    expect(rig.runtime.sessions.size).toBe(0);
    expect(rig.clock.nowMs() - since).toBeLessThan(12_000);
    expect(rig.peers.map(({ closed }) => closed)).toEqual([true, true, true, true]);
    expect(rig.logged.at(-1)).toBe('A WebRTC call ended. nothing came for 10 s');
  });

  it('keeps of an answer what was heard of it, where the caller leaves in the middle', async () => {
    const text = 'One. Two. Three. Four. Five. Six. Seven. Eight.';
    const rig = await callRig({ replies: [[{ text, frames: 40 }]] });
    const caller = await rig.call();
    await caller.say(600);
    await caller.silence(2200);
    const [session] = rig.runtime.sessions.values();
    caller.peer.listener.onClosed('the transport closed');
    expect(rig.runtime.sessions.size).toBe(0);
    const answer = session.items.findLast(({ role }) => role === 'assistant')!;
    const [said] = answer.content;
    expect(answer.status).toBe('incomplete');
    if (said.type !== 'audio') throw new Error('It was spoken.');
    expect(said.transcript).toMatch(/^One\. Two\./);
    expect(text.startsWith(said.transcript!)).toBe(true);
    expect(said.transcript!.length).toBeLessThan(text.length);
    // What left, less what had not reached the ear.
    expect(said.samples!.length / 24).toBeLessThan(caller.heardMs);
    expect(said.samples!.length / 24).toBeGreaterThan(caller.heardMs - 200);
  });

  it('ends where no connection comes of it', async () => {
    const rig = await callRig();
    await rig.request('POST', '/v1/realtime/calls', { 'content-type': 'application/sdp' }, OFFER);
    expect(rig.runtime.sessions.size).toBe(1);
    await rig.clock.runFor(20_100);
    expect(rig.runtime.sessions.size).toBe(0);
  });

  it('costs itself alone when it floods', async () => {
    const rig = await callRig();
    const quiet = await rig.call();
    const flooding = await rig.call();
    const packet = {
      ssrc: 9,
      payloadType: 111,
      timestamp: 0,
      marker: false,
      payload: Buffer.from([8, 0, 255]),
    };
    for (let i = 0; i < 6000; i++) flooding.peer.listener.onVoice({ ...packet, sequence: i & 0xffff });
    expect(flooding.peer.closed).toBe(true);
    await quiet.say(600);
    await quiet.silence(4500);
    expect(quiet.all('response.done')).toHaveLength(1);
  });

  it('is controlled from the side as well: both hear all, either may speak, and the call outlives the side', async () => {
    const rig = await callRig();
    const caller = await rig.call();
    const side = { texts: [] as string[], closed: null as string | null };
    const listener = rig.attach(caller.id, side)!;
    expect(JSON.parse(side.texts[0])).toMatchObject({
      type: 'session.created',
      session: { object: 'realtime.session' },
    });
    listener.onText(
      JSON.stringify({ type: 'session.update', session: { type: 'realtime', instructions: 'Be brief.' } }),
    );
    await caller.silence(40);
    expect(caller.all('session.updated')).toHaveLength(1);
    expect(side.texts.map(text => JSON.parse(text).type)).toEqual(['session.created', 'session.updated']);
    expect(rig.attach('rtc_none', side)).toBeNull();
    listener.onClose(1000, '');
    await caller.say(600);
    await caller.silence(4500);
    expect(caller.all('response.done')).toHaveLength(1);
    expect(side.texts).toHaveLength(2);
  });

  it('gives an item that does not pass the channel without its sound', async () => {
    const rig = await callRig({ replies: [[{ text: 'One two three four five.', frames: 120 }]] });
    const caller = await rig.call();
    await caller.say(600);
    await caller.silence(9000);
    const [{ item }] = caller.all('response.output_item.done');
    caller.send({ type: 'conversation.item.retrieve', item_id: (item as { id: string }).id });
    await caller.silence(40);
    const [retrieved] = caller.all('conversation.item.retrieved');
    const { content } = retrieved.item as { content: { transcript: string; audio?: string }[] };
    expect(content[0].transcript).toBe('One two three four five.');
    expect(content[0].audio).toBeUndefined();
    expect(caller.all('error')).toEqual([]);
  });
});
