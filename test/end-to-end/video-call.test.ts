/** A video call as a stranger makes it: Chromium, the stock client, a microphone and a camera of files, and nano. */
import OpenAI from 'openai';
import { SidebandWS } from 'openai/resources/live/sideband/ws';
import { expect, it } from 'vitest';
import WebSocket from 'ws';
import { startLiveServer } from '../support/live-server.ts';
import { callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import { describeInBrowser } from './chromium.ts';
import { PATIENCE, videoCallRig, webRtc } from './video-call-rig.ts';

describeInBrowser('a video call of the stock client', () => {
  const rig = videoCallRig();
  const { folder, sessions, events, all, count, say, answers } = rig;
  const soundHeard = () =>
    rig.page.evaluate<{ totalAudioEnergy: number; packetsReceived: number }>('window.sound()');

  it('is understood, is interrupted, sees, and goes on', async () => {
    const callId = await rig.page.evaluate<string>('window.start()');
    expect(callId).toMatch(/^rtc_/);

    // Counting, and a server that listens at the side.
    await say('count');
    await expect.poll(() => count('output_audio_buffer.started'), PATIENCE).toBe(1);
    const side = new WebSocket(`${rig.server.url.replace('http', 'ws')}/v1/realtime?call_id=${callId}`);
    const sideTypes: string[] = [];
    side.on('message', data => sideTypes.push(JSON.parse(String(data)).type));
    const [started] = await all('output_audio_buffer.started');
    // A second of words, or so, however slowly they are made.
    await expect.poll(async () => (await soundHeard()).totalAudioEnergy, PATIENCE).toBeGreaterThan(0.03);

    // The next question cuts it short, and is about what the camera shows.
    await say('see');
    await expect.poll(() => count('output_audio_buffer.cleared'), PATIENCE).toBe(1);
    await expect.poll(() => count('conversation.item.truncated'), PATIENCE).toBe(1);
    const [cut] = await all('conversation.item.truncated');
    const [cleared] = await all('output_audio_buffer.cleared');
    expect(cut.audio_end_ms).toBeGreaterThan(500);
    // By the page's clock, which may be late with the first of them.
    expect(cut.audio_end_ms).toBeLessThan(cleared.atMs - started.atMs + 1000);
    await expect.poll(() => count('output_audio_buffer.stopped'), PATIENCE).toBe(1);
    await say('sum');
    await expect.poll(() => count('output_audio_buffer.stopped'), PATIENCE).toBe(2);
    const [counted, seen, sum] = await answers();
    expect(counted).toMatch(/^one, two, three/);
    expect(seen).toContain('red circle');
    expect(sum).toContain('seven');

    // All of it was heard, and nothing went wrong.
    const { totalAudioEnergy, packetsReceived } = await soundHeard();
    expect(packetsReceived).toBeGreaterThan(100);
    expect(totalAudioEnergy).toBeGreaterThan(0.01);
    expect((await events()).filter(({ type }) => type.endsWith('error'))).toEqual([]);
    // A server at the side heard the same.
    expect(sideTypes[0]).toBe('session.created');
    expect(sideTypes).toContain('output_audio_buffer.cleared');

    await rig.page.evaluate('window.session.close()');
    await expect.poll(sessions, PATIENCE).toBe(0);
    side.close();
  }, 240_000);

  it('is held over GPT-Live as well, with the stock client and a stock sideband', async () => {
    const id = await rig.page.evaluate<string>('window.startLive()');
    expect(id).toMatch(/^live_/);
    const client = new OpenAI({ baseURL: `${rig.server.url}/v1`, apiKey: 'any' });
    const side = new SidebandWS(client, { session_id: id });
    const heard: { readonly type: string; readonly event?: unknown }[] = [];
    side.on('event', event => heard.push(event as never));
    side.on('error', () => {}); // It would be among the events.
    await expect.poll(() => heard.map(({ type }) => type), PATIENCE).toContain('session.started');
    const said = async () =>
      (await all('session.output_transcript.delta')).map(({ delta }) => String(delta)).join('');

    await say('count');
    await expect.poll(said, PATIENCE).toMatch(/^One, two, three/);
    // The next question cuts it short, and nothing of the count is told after it.
    await say('sum');
    await expect.poll(said, PATIENCE).toContain('Seven');
    expect((await said()).toLowerCase()).not.toContain('ten');
    expect(new Set(heard.map(({ type }) => type))).toContain('session.input_audio.append');
    const { totalAudioEnergy } = await soundHeard();
    expect(totalAudioEnergy).toBeGreaterThan(0.01);

    side.send({ type: 'session.close' });
    await expect.poll(() => count('session.closed'), PATIENCE).toBe(1);
    await expect.poll(() => heard.map(({ type }) => type), PATIENCE).toContain('session.closed');
    await expect.poll(sessions, PATIENCE).toBe(0);
    expect((await events()).filter(({ type }) => type.endsWith('error'))).toEqual([]);
  }, 240_000);

  it('has its client run a tool, and goes on with what came of it', async () => {
    const toolServer = await startLiveServer({
      ...{ webRtc, webRoot: `${folder}/`, toolTemplate: TOOL_TEMPLATE },
      replies: [[callSegment(['set_timer', { minutes: 5 }])], [{ text: 'The timer is set.', frames: 20 }]],
    });
    try {
      await rig.page.goto(toolServer.url);
      await rig.page.evaluate('window.start()');
      await say('sum');
      await expect.poll(() => rig.page.evaluate('window.called'), PATIENCE).toEqual([{ minutes: 5 }]);
      await expect.poll(answers, PATIENCE).toContain('the timer is set.');
      expect((await events()).filter(({ type }) => type.endsWith('error'))).toEqual([]);
      await rig.page.evaluate('window.session.close()');
    } finally {
      await toolServer.close();
    }
  }, 240_000);

  it('over GPT-Live is handed a task and mutes, and after a lost line begins anew, at its side too', async () => {
    const handing = await startLiveServer({
      ...{ webRtc, webRoot: `${folder}/`, toolTemplate: TOOL_TEMPLATE },
      replies: [[callSegment(['delegate', { task: 'weather' }])], [{ text: 'It is sunny.', frames: 20 }]],
    });
    const client = new OpenAI({ baseURL: `${handing.url}/v1`, apiKey: 'any' });
    const greeted = (session_id: string) =>
      new Promise<SidebandWS>((resolve, reject) => {
        const side = new SidebandWS(client, { session_id });
        side.on('session.started', () => resolve(side));
        side.on('error', reject);
      });
    const send = (event: object) => rig.page.evaluate(`window.live.send(${JSON.stringify(event)})`);
    try {
      await rig.page.goto(handing.url);
      const id = await rig.page.evaluate<string>('window.startLive()');
      (await greeted(id)).close();
      const side = await greeted(id);
      await say('sum');
      await expect.poll(() => count('session.delegation.created'), PATIENCE).toBe(1);
      const [{ delegation }] = await all('session.delegation.created');
      const delegation_id = (delegation as { readonly id: string }).id;
      await send({ type: 'session.commentary.append', content: 'Sunny.', delegation_id });
      const said = async () =>
        (await all('session.output_transcript.delta')).map(({ delta }) => delta).join('');
      await expect.poll(said, PATIENCE).toBe('It is sunny.');
      await send({ type: 'session.input_audio.mute' });
      await expect.poll(() => count('session.input_audio.muted'), PATIENCE).toBe(1);
      side.send({ type: 'session.input_audio.unmute' });
      await expect.poll(() => count('session.input_audio.unmuted'), PATIENCE).toBe(1);
      expect(await count('error')).toBe(0);

      await rig.page.evaluate('window.connection.close()');
      const again = await rig.page.evaluate<string>('window.startLive()');
      expect(again).not.toBe(id);
      // The events travel on a channel, which opens after the session has begun.
      await expect.poll(() => count('session.started'), PATIENCE).toBe(1);
      (await greeted(again)).send({ type: 'session.close' });
      await expect.poll(() => count('session.closed'), PATIENCE).toBe(1);
    } finally {
      await handing.close();
    }
  }, 240_000);
});
