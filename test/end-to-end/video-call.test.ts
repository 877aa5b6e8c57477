/** A video call as a stranger makes it: Chromium, the stock client, a microphone and a camera of files, and nano. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { SidebandWS } from 'openai/resources/live/sideband/ws';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import WebSocket from 'ws';
import { configSchema } from '../../cli/config/schema.ts';
import { openHouse } from '../../cli/house.ts';
import { readWav, writeWav } from '../../cli/media/wav.ts';
import { type RunningServer, startServer } from '../../protocols/index.ts';
import { writeCamera } from '../support/camera-file.ts';
import { startLiveServer } from '../support/live-server.ts';
import { callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import { describeInBrowser, launchChromium } from './chromium.ts';
import { COMMON } from './page-rig.ts';

const webRtc = { hosts: ['127.0.0.1'], iceServers: [], ports: null, relayOnly: false };
const PATIENCE = { timeout: 60_000, interval: 100 };
/** A red circle in the middle, on the grey that nano's pictures have. */
const SCENE = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240">
  <rect width="320" height="240" fill="#7a787b"/><circle cx="160" cy="60" r="36" fill="#d22823"/></svg>`;

interface SeenEvent {
  readonly type: string;
  readonly atMs: number;
  readonly [field: string]: unknown;
}

/** What the caller will say. */
function writeSentences(folder: string): void {
  const turns = readWav('test/fixtures/talk/six-turns.wav');
  const cut = (fromMs: number, toMs: number) =>
    turns.samples.subarray((fromMs * turns.sampleRate) / 1000, (toMs * turns.sampleRate) / 1000);
  const sentences = { count: cut(12_780, 14_160), see: cut(18_760, 19_760), sum: cut(6_780, 8_140) };
  for (const [name, samples] of Object.entries(sentences))
    writeWav(join(folder, `${name}.wav`), { sampleRate: turns.sampleRate, samples });
}

describeInBrowser('a video call of the stock client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-call-'));
  let browser: Browser;
  let server: RunningServer;
  let closeHouse: () => Promise<void>;
  let page: Page;

  beforeAll(async () => {
    const camera = join(folder, 'camera.y4m');
    writeSentences(folder);
    await writeCamera(camera, SCENE, 640, 480);
    await build({
      ...{ configFile: false, logLevel: 'silent', root: 'test/end-to-end/video-call' },
      build: {
        outDir: folder,
        emptyOutDir: false,
        lib: { entry: 'page.js', formats: ['es'], fileName: 'page' },
      },
      define: { 'process.env': '{}' },
    });
    writeFileSync(
      join(folder, 'index.html'),
      '<!doctype html><title>call</title><script type="module" src="page.js"></script>',
    );
    const house = await openHouse(configSchema.parse({ logLevel: 'silent' }), 'real');
    closeHouse = () => house.close();
    const names = { modelName: house.engine.model.name, engineKind: house.engine.kind };
    server = await startServer({ ...house, ...COMMON, ...names, webRtc, webRoot: `${folder}/` });
    browser = await launchChromium(join(folder, 'sum.wav'), camera);
    page = await (await browser.newContext({ permissions: ['microphone', 'camera'] })).newPage();
    page.on('pageerror', error => console.error(`an error in the page: ${error.stack ?? error}`));
  });
  beforeEach(() => page.goto(server.url));
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await closeHouse?.();
    rmSync(folder, { recursive: true });
  });

  const sessions = async () => {
    const health = (await (await fetch(`${server.url}/healthz`)).json()) as { readonly sessions: number };
    return health.sessions;
  };
  const events = () => page.evaluate<SeenEvent[]>('window.events');
  const all = async (type: string) => (await events()).filter(event => event.type === type);
  const count = async (type: string) => (await all(type)).length;
  const say = (name: string) => page.evaluate(`window.say('${name}')`);
  const answers = async () =>
    (await all('response.output_audio_transcript.done')).map(({ transcript }) =>
      String(transcript).toLowerCase(),
    );

  it('is understood, is interrupted, sees, and goes on', async () => {
    const callId = await page.evaluate<string>('window.start()');
    expect(callId).toMatch(/^rtc_/);

    // Counting, and a server that listens at the side.
    await say('count');
    await expect.poll(() => count('output_audio_buffer.started'), PATIENCE).toBe(1);
    const side = new WebSocket(`${server.url.replace('http', 'ws')}/v1/realtime?call_id=${callId}`);
    const sideTypes: string[] = [];
    side.on('message', data => sideTypes.push(JSON.parse(String(data)).type));
    const [started] = await all('output_audio_buffer.started');
    await expect
      .poll(() => page.evaluate<number>('performance.now()'), PATIENCE)
      .toBeGreaterThan(started.atMs + 2000);

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
    const { totalAudioEnergy, packetsReceived } = await page.evaluate<{
      totalAudioEnergy: number;
      packetsReceived: number;
    }>('window.sound()');
    expect(packetsReceived).toBeGreaterThan(100);
    expect(totalAudioEnergy).toBeGreaterThan(0.01);
    expect((await events()).filter(({ type }) => type.endsWith('error'))).toEqual([]);
    // A server at the side heard the same.
    expect(sideTypes[0]).toBe('session.created');
    expect(sideTypes).toContain('output_audio_buffer.cleared');

    await page.evaluate('window.session.close()');
    await expect.poll(sessions, PATIENCE).toBe(0);
    side.close();
  }, 240_000);

  it('is held over GPT-Live as well, with the stock client and a stock sideband', async () => {
    const id = await page.evaluate<string>('window.startLive()');
    expect(id).toMatch(/^live_/);
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'any' });
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
    const { totalAudioEnergy } = await page.evaluate<{ totalAudioEnergy: number }>('window.sound()');
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
      await page.goto(toolServer.url);
      await page.evaluate('window.start()');
      await say('sum');
      await expect.poll(() => page.evaluate('window.called'), PATIENCE).toEqual([{ minutes: 5 }]);
      await expect.poll(answers, PATIENCE).toContain('the timer is set.');
      expect((await events()).filter(({ type }) => type.endsWith('error'))).toEqual([]);
      await page.evaluate('window.session.close()');
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
    const send = (event: object) => page.evaluate(`window.live.send(${JSON.stringify(event)})`);
    try {
      await page.goto(handing.url);
      const id = await page.evaluate<string>('window.startLive()');
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

      await page.evaluate('window.connection.close()');
      const again = await page.evaluate<string>('window.startLive()');
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
