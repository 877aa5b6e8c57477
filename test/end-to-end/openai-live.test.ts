/**
 * The stock `LiveWS` of openai, unmodified, over sockets: a conversation with an interruption, a mute, an addition and
 * a reconnect.
 */
import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import { TranscriptGrouper } from 'openai/lib/live/transcript-grouper';
import type { ServerEvent } from 'openai/resources/live/live';
import { LiveWS } from 'openai/resources/live/ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import { callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import { pcm16, voice } from '../support/voice.ts';

const CERTIFICATE = 'test/fixtures/tls/cert.pem';
const KEY = 'sk-test-0123456789';

class Talk {
  readonly events: ServerEvent[] = [];
  readonly live: LiveWS;
  readonly closed: Promise<number>;
  #seen = 0;
  #wake: () => void = () => {};

  constructor(server: LiveServer, apiKey = KEY) {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey });
    this.live = new LiveWS(client, { ca: readFileSync(CERTIFICATE) });
    this.live.on('event', event => {
      this.events.push(event);
      this.#wake();
    });
    this.live.on('error', () => {}); // They are among the events.
    this.closed = new Promise(resolve => {
      this.live.on('close', code => resolve(code));
    });
  }

  async next<T extends ServerEvent['type']>(
    type: T,
    isIt = (_event: Extract<ServerEvent, { type: T }>) => true,
  ) {
    for (;;) {
      while (this.#seen < this.events.length) {
        const event = this.events[this.#seen++] as Extract<ServerEvent, { type: T }>;
        if (event.type === type && isIt(event)) return event;
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  sound() {
    return this.next('session.output_audio.delta', ({ delta }) =>
      Buffer.from(delta, 'base64').some(byte => byte !== 0),
    );
  }

  /** Half a second of what the line brings holds no sound. */
  async silence() {
    for (let bytes = 0; bytes < 24_000; ) {
      const { delta } = await this.next('session.output_audio.delta');
      const heard = Buffer.from(delta, 'base64');
      bytes = heard.some(byte => byte !== 0) ? 0 : bytes + heard.length;
    }
  }

  say(ms: number, thenSilenceMs: number): void {
    for (const part of [voice(ms, 24_000), new Float32Array(thenSilenceMs * 24)]) {
      for (let at = 0; at < part.length; at += 2400) {
        const audio = pcm16(part.subarray(at, at + 2400)).toString('base64');
        this.live.send({ type: 'session.input_audio.append', audio });
      }
    }
  }
}

describe('the stock LiveWS', () => {
  let server: LiveServer;
  beforeAll(async () => {
    server = await startLiveServer({
      keys: [KEY],
      tlsCert: CERTIFICATE,
      tlsKey: 'test/fixtures/tls/key.pem',
      replyFrames: 50,
    });
  });
  afterAll(() => server.close());

  it('holds a conversation: speak, hear, interrupt, mute, add, close', async () => {
    const talk = new Talk(server);
    // Before the socket is open: it waits for it.
    talk.live.send({ type: 'session.start', session: { model: 'gpt-live-1', instructions: 'Be brief.' } });
    const { session } = await talk.next('session.started');
    expect(session).toMatchObject({ status: 'active', instructions: 'Be brief.' });

    talk.say(1200, 700);
    await talk.sound();
    talk.say(800, 0);
    await talk.silence();
    // It answers what interrupted it.
    talk.say(0, 700);
    await talk.sound();

    talk.live.send({ type: 'session.input_audio.mute', event_id: 'm' });
    expect(await talk.next('session.input_audio.muted')).toMatchObject({ client_event_id: 'm' });
    talk.say(800, 0);
    await talk.sound();
    talk.live.send({ type: 'session.input_audio.unmute' });

    await talk.silence();
    talk.live.send({ type: 'session.commentary.append', content: 'Say goodbye.', delegation_id: null });
    await talk.next('session.commentary.appended');
    await talk.sound();

    talk.live.send({ type: 'session.close' });
    expect(await talk.next('session.closed')).toMatchObject({
      reason: 'close_requested',
      session: { id: session.id },
    });
    expect(await talk.closed).toBe(1000);
    expect(talk.events.filter(({ type }) => type === 'error')).toEqual([]);

    const grouper = new TranscriptGrouper();
    const closed: string[] = [];
    grouper.on('segment.closed', ({ reason, segment }) => closed.push(`${segment.speaker} ${reason}`));
    for (const event of talk.events) grouper.push(event);
    expect(closed.length).toBeGreaterThan(0);
    expect(closed.filter(text => text.includes('timestamp_reset'))).toEqual([]);
  });

  it('is told what to do when it sends sound on a new connection, and starts anew there', async () => {
    const talk = new Talk(server);
    talk.say(100, 0);
    expect((await talk.next('error')).error).toMatchObject({ code: 'session_not_started' });
    talk.live.send({ type: 'session.start', session: { model: 'gpt-live-1' } });
    await talk.next('session.started');
    talk.live.close();
    await talk.closed;
  });

  it('is handed a task, and its answer is told', async () => {
    const handing = await startLiveServer({
      ...{ keys: [KEY], tlsCert: CERTIFICATE, tlsKey: 'test/fixtures/tls/key.pem' },
      toolTemplate: TOOL_TEMPLATE,
      replies: [[callSegment(['delegate', { task: 'weather' }])], [{ text: 'It is sunny.', frames: 20 }]],
    });
    const talk = new Talk(handing);
    talk.live.send({
      type: 'session.start',
      session: { model: 'gpt-live-1', delegation: { type: 'client', acknowledgement_delay_ms: 400 } },
    });
    await talk.next('session.started');
    talk.say(1000, 700);
    const { delegation } = await talk.next('session.delegation.created');
    expect(delegation).toMatchObject({ type: 'delegation', target: 'client' });
    talk.live.send({ type: 'session.commentary.append', content: 'Sunny.', delegation_id: delegation.id });
    await talk.next('session.commentary.appended');
    await talk.sound();
    await talk.next('session.output_transcript.delta', ({ delta }) => delta.endsWith('sunny.'));
    talk.live.send({ type: 'session.close' });
    await talk.closed;
    expect(talk.events.filter(({ type }) => type === 'error')).toEqual([]);
    await handing.close();
  });
});
