import { createRequire } from 'node:module';
import {
  OpenAIRealtimeWebSocket,
  RealtimeAgent,
  RealtimeSession,
  type TransportEvent,
} from '@openai/agents-realtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LiveServer, startLiveServer } from '../support/live-server.ts';
import { pcm16, voice } from '../support/voice.ts';

/** The client's own judgement of an event; what it takes for generic it passes over. Not exported, hence the path. */
const { parseRealtimeEvent } = createRequire(import.meta.url)(
  '../../node_modules/@openai/agents-realtime/dist/openaiRealtimeEvents.js',
) as { parseRealtimeEvent(event: { data: string }): { data: unknown; isGeneric: boolean } };

let server: LiveServer;
beforeAll(async () => {
  // Long enough to be interrupted on a busy machine too.
  server = await startLiveServer({ replyFrames: 200 });
});
afterAll(() => server.close());

/** The stock session over its stock WebSocket transport, with everything that reached it. */
class Talk {
  readonly events: TransportEvent[] = [];
  readonly session: RealtimeSession;
  readonly errors: unknown[] = [];
  #seen = 0;
  #wake: () => void = () => {};

  constructor() {
    const url = `${server.url.replace('http', 'ws')}/v1/realtime?model=any`;
    const transport = new OpenAIRealtimeWebSocket({ url });
    const agent = new RealtimeAgent({ name: 'Guide', instructions: 'Be brief.' });
    this.session = new RealtimeSession(agent, { transport });
    this.session.on('transport_event', event => {
      this.events.push(event);
      this.#wake();
    });
    this.session.on('error', error => this.errors.push(error));
  }

  async next(type: string): Promise<TransportEvent> {
    for (;;) {
      while (this.#seen < this.events.length) {
        const event = this.events[this.#seen++];
        if (event.type === type) return event;
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  say(ms: number, thenSilenceMs: number): void {
    const samples = [voice(ms, 24_000), new Float32Array(thenSilenceMs * 24)];
    for (const part of samples) {
      for (let at = 0; at < part.length; at += 480) {
        const bytes = pcm16(part.subarray(at, at + 480));
        this.session.sendAudio(
          bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
        );
      }
    }
  }
}

describe('the stock @openai/agents-realtime session', () => {
  it('holds a whole conversation: speak, hear, interrupt, speak again, write, close', async () => {
    const talk = new Talk();
    const { session } = talk;
    const heard: number[] = [];
    session.on('audio', event => heard.push(event.data.byteLength));
    let interruptions = 0;
    session.on('audio_interrupted', () => {
      interruptions++;
    });
    await session.connect({ apiKey: 'any-on-loopback' });
    await talk.next('session.updated'); // Tracing, which it sets first.
    const updated = await talk.next('session.updated');
    expect((updated as unknown as { session: { instructions: string } }).session.instructions).toBe(
      'Be brief.',
    );

    talk.say(1200, 1000);
    await talk.next('response.output_audio.delta');
    talk.say(800, 0);
    await talk.next('input_audio_buffer.speech_started');
    await talk.next('conversation.item.truncated');
    await talk.next('conversation.item.retrieved');
    expect(interruptions).toBeGreaterThan(0);
    expect(heard.length).toBeGreaterThan(0);

    talk.say(0, 1000);
    await talk.next('response.created');
    await talk.next('response.done');

    session.sendMessage('And in writing?');
    await talk.next('response.created');
    await talk.next('response.done');
    const roles = session.history.map(item => (item.type === 'message' ? item.role : item.type));
    expect(roles).toEqual(['user', 'assistant', 'user', 'assistant', 'user', 'assistant']);
    const last = session.history.at(-1) as { content: { type: string; transcript?: string }[] };
    expect(last.content).toMatchObject([{ type: 'output_audio', transcript: server.reply }]);
    expect(talk.errors).toEqual([]);
    session.close();
  });

  it('understands every event that it has a handler for', async () => {
    const talk = new Talk();
    await talk.session.connect({ apiKey: 'any-on-loopback' });
    talk.say(1200, 1000);
    await talk.next('response.done');
    talk.session.transport.sendEvent({ type: 'no.such' } as never);
    await talk.next('error');
    const generic = talk.events.filter(event => {
      const { data, isGeneric } = parseRealtimeEvent({ data: JSON.stringify(event) });
      return isGeneric || data === null;
    });
    // Of the protocol, but this client has no handler for it; this engine hears no words, so that every transcription
    // fails.
    expect(new Set(generic.map(event => event.type))).toEqual(
      new Set(['conversation.item.input_audio_transcription.failed']),
    );
    talk.session.close();
  });
});
