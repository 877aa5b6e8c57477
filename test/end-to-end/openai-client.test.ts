import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import { pcm16, voice } from '../support/voice.ts';

const CERTIFICATE = 'test/fixtures/tls/cert.pem';
const KEY = 'sk-test-0123456789';
type ServerEvent = RealtimeServerEvent;

/** The stock client, its events in order and a way to wait for one. */
class Talk {
  readonly events: ServerEvent[] = [];
  readonly realtime: OpenAIRealtimeWS;
  #seen = 0;
  #wake: () => void = () => {};

  constructor(server: LiveServer) {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: KEY });
    // The package dials wss whatever the URL says; the certificate is our own.
    this.realtime = new OpenAIRealtimeWS(
      { model: 'any', options: { ca: readFileSync(CERTIFICATE) } },
      client,
    );
    this.realtime.on('event', event => {
      this.events.push(event);
      this.#wake();
    });
    this.realtime.on('error', () => {}); // They are among the events.
  }

  async next<T extends string>(type: T) {
    for (;;) {
      while (this.#seen < this.events.length) {
        const event = this.events[this.#seen++];
        if (event.type === type) return event as Extract<ServerEvent, { type: T }>;
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  /** The end of a response, whether it came already or not. */
  async done(responseId: string) {
    for (;;) {
      const found = this.events.flatMap(event =>
        event.type === 'response.done' && event.response.id === responseId ? [event.response] : [],
      );
      if (found.length > 0) return found[0];
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  say(ms: number, thenSilenceMs: number): void {
    const samples = [voice(ms, 24_000), new Float32Array(thenSilenceMs * 24)];
    for (const part of samples) {
      for (let at = 0; at < part.length; at += 480) {
        const audio = pcm16(part.subarray(at, at + 480)).toString('base64');
        this.realtime.send({ type: 'input_audio_buffer.append', audio });
      }
    }
  }
}

describe.each(['uws', 'ws'] as const)('the stock openai client on %s', socketServer => {
  let server: LiveServer;
  beforeAll(async () => {
    server = await startLiveServer({
      socketServer,
      keys: [KEY],
      tlsCert: CERTIFICATE,
      tlsKey: 'test/fixtures/tls/key.pem',
    });
  });
  afterAll(() => server.close());

  it('holds a whole conversation: speak, hear, interrupt, truncate, speak again, write, close', async () => {
    const talk = new Talk(server);
    const { realtime } = talk;
    const created = await talk.next('session.created');
    expect(created.session.type).toBe('realtime');

    realtime.send({
      type: 'session.update',
      session: {
        type: 'realtime',
        instructions: 'Be brief.',
        audio: { input: { turn_detection: { type: 'server_vad', silence_duration_ms: 400 } } },
      },
    });
    expect((await talk.next('session.updated')).session).toMatchObject({ instructions: 'Be brief.' });

    talk.say(1200, 700);
    await talk.next('input_audio_buffer.speech_started');
    await talk.next('input_audio_buffer.committed');
    const first = await talk.next('response.output_audio.delta');
    expect(Buffer.from(first.delta, 'base64').length).toBeGreaterThan(0);

    // Interrupt: the server cancels by itself, the client says what it played.
    talk.say(800, 0);
    await talk.next('input_audio_buffer.speech_started');
    // This engine answers faster than anybody interrupts, so the response may be complete; its play-out is not.
    expect(['cancelled', 'completed']).toContain((await talk.done(first.response_id)).status);
    realtime.send({
      type: 'conversation.item.truncate',
      item_id: first.item_id,
      content_index: 0,
      audio_end_ms: 40,
    });
    expect(await talk.next('conversation.item.truncated')).toMatchObject({ item_id: first.item_id });

    talk.say(0, 700);
    const second = (await talk.next('response.created')).response;
    expect((await talk.done(second.id!)).status).toBe('completed');
    const said = talk.events.flatMap(event => {
      const isPart = event.type === 'response.output_audio_transcript.delta';
      return isPart && event.response_id === second.id ? [event.delta] : [];
    });
    expect(said.join('')).toBe(server.reply);

    realtime.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'And in writing?' }] },
    });
    realtime.send({ type: 'response.create', response: { output_modalities: ['text'] } });
    const written = await talk.next('response.output_text.done');
    expect(written.text).toBe(server.reply);
    expect((await talk.next('response.done')).response.usage?.total_tokens).toBeGreaterThan(0);

    expect(talk.events.filter(event => event.type === 'error')).toEqual([]);
    const closed = new Promise<number>(resolve => realtime.socket.on('close', code => resolve(code)));
    realtime.close({ code: 1000, reason: 'OK' });
    expect(await closed).toBe(1000);
  });
});
