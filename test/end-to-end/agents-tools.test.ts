import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { describe, expect, it } from 'vitest';
import { startLiveServer } from '../support/live-server.ts';
import { callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import { pcm16, voice } from '../support/voice.ts';

/** The stock client holds a conversation with a tool of its own, unmodified, over a WebSocket. */
describe('the stock @openai/agents-realtime session with a tool', () => {
  it('runs what the model calls, told at once or as it is written, hands the results back and hears the answer', async () => {
    const server = await startLiveServer({
      toolTemplate: TOOL_TEMPLATE,
      replies: [
        [{ text: 'One moment.', frames: 14 }, callSegment(['set_timer', { minutes: 5 }])],
        // Nothing is heard before this one: its argument is told in pieces.
        [callSegment(['note', { text: 'milk, eggs and a loaf of bread' }])],
        [{ text: 'It is done.', frames: 14 }],
      ],
    });
    const runs: unknown[] = [];
    const setTimer = tool({
      ...{ name: 'set_timer', description: 'Sets a timer.', strict: false },
      parameters: {
        ...{ type: 'object' as const, properties: { minutes: { type: 'integer' } } },
        ...{ required: ['minutes'], additionalProperties: true as const },
      },
      execute: (given: unknown) => {
        runs.push(given);
        return 'set';
      },
    });
    const note = tool({
      ...{ name: 'note', description: 'Writes it down.', strict: false },
      parameters: {
        ...{ type: 'object' as const, properties: { text: { type: 'string' } } },
        ...{ required: ['text'], additionalProperties: true as const },
      },
      execute: (given: unknown) => {
        runs.push(given);
        return 'noted';
      },
    });
    const agent = new RealtimeAgent({ name: 'Clock', instructions: 'Be brief.', tools: [setTimer, note] });
    const url = `${server.url.replace('http', 'ws')}/v1/realtime?model=any`;
    const session = new RealtimeSession(agent, { transport: new OpenAIRealtimeWebSocket({ url }) });
    const errors: unknown[] = [];
    const said: string[] = [];
    const deltas = new Map<string, string[]>();
    session.on('error', error => errors.push(error));
    const answered = new Promise<void>(resolve => {
      session.on('transport_event', event => {
        if (event.type === 'response.function_call_arguments.delta') {
          const [id, delta] = [event.call_id as string, event.delta as string];
          deltas.set(id, [...(deltas.get(id) ?? []), delta]);
        }
        if (event.type !== 'response.output_audio_transcript.done') return;
        said.push(event.transcript as string);
        if (said.length === 2) resolve();
      });
    });
    await session.connect({ apiKey: 'any-on-loopback' });
    const samples = [voice(600, 24_000), new Float32Array(1500 * 24)];
    for (const part of samples) {
      for (let at = 0; at < part.length; at += 480) {
        const bytes = pcm16(part.subarray(at, at + 480));
        session.sendAudio(
          bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
        );
      }
    }
    await answered;
    expect(errors).toEqual([]);
    expect(runs).toEqual([{ minutes: 5 }, { text: 'milk, eggs and a loaf of bread' }]);
    const [whole, pieces] = [...deltas.values()];
    expect(whole).toEqual(['{"minutes":5}']);
    expect(pieces.join('')).toBe('{"text":"milk, eggs and a loaf of bread"}');
    expect(pieces.length).toBeGreaterThan(3);
    expect(said).toEqual(['One moment.', 'It is done.']);
    const calls = session.history.filter(item => item.type === 'function_call');
    expect(calls).toMatchObject([
      { name: 'set_timer', arguments: '{"minutes":5}', output: 'set' },
      { name: 'note', arguments: '{"text":"milk, eggs and a loaf of bread"}', output: 'noted' },
    ]);
    session.close();
    await server.close();
  });
});
