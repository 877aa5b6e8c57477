/** What clients send that the letter of the protocol does not foresee, and mean well by. */
import { describe, expect, it } from 'vitest';
import { pcm } from '../support/realtime-client.ts';
import { addText, serveClients } from '../support/served-clients.ts';

const { connect, session } = serveClients();

describe('opening', () => {
  it('takes a model and the intent to transcribe together', async () => {
    const client = await connect('?intent=transcription&model=gpt-4o-transcribe');
    expect(client.events[0].session.type).toBe('transcription');
  });
});

describe('null', () => {
  it('is the same as absent in every field that may be left out of session.update', async () => {
    const client = await connect();
    const whole = {
      type: 'realtime',
      instructions: 'Be brief.',
      max_output_tokens: 100,
      tools: [{ type: 'function', name: 'f' }],
      audio: {
        input: {
          format: { type: 'audio/pcmu' },
          transcription: { model: 'm', language: 'en' },
          turn_detection: { type: 'server_vad', threshold: 0.7, create_response: false },
        },
        output: { voice: 'marin' },
      },
    };
    client.send({ type: 'session.update', session: whole });
    const before = (await client.next('session.updated')).session;
    const nothing = {
      ...{
        type: null,
        model: null,
        instructions: null,
        output_modalities: null,
        tools: null,
        tool_choice: null,
      },
      ...{ parallel_tool_calls: null, max_output_tokens: null, truncation: null, longcat: null },
      audio: {
        input: {
          format: null,
          transcription: { model: null, language: null, prompt: null },
          turn_detection: {
            ...{ type: 'server_vad', threshold: null, prefix_padding_ms: null, silence_duration_ms: null },
            ...{ create_response: null, interrupt_response: null },
          },
        },
        output: { format: null, voice: null, speed: null },
      },
    };
    for (const fields of [nothing, { audio: null }, { audio: { input: null, output: null } }]) {
      client.send({ type: 'session.update', event_id: null, session: fields });
      expect((await client.next('session.updated')).session).toEqual(before);
    }
    const { threshold, endpointSilenceMs } = session(before.id).settings.turnDetection as never;
    expect({ threshold, endpointSilenceMs }).toEqual({ threshold: 0.7, endpointSilenceMs: 500 });
    expect(client.types()).not.toContain('error');
  });

  it('still switches off what it switches off', async () => {
    const client = await connect();
    const off = { turn_detection: null, transcription: null, noise_reduction: null };
    client.send({ type: 'session.update', session: { audio: { input: off }, tracing: null, include: null } });
    expect((await client.next('session.updated')).session.audio.input).toMatchObject(off);
  });

  it('is the same as absent in response.create, items and cancels', async () => {
    const client = await connect();
    const content = [
      { type: 'input_text', text: 'hi' },
      { type: 'input_audio', audio: pcm(20, 0), transcript: null },
    ];
    client.send({
      type: 'conversation.item.create',
      previous_item_id: null,
      item: { type: 'message', id: null, object: null, status: null, role: 'user', content },
    });
    const { item } = await client.next('conversation.item.done');
    expect(item.content.map(({ type }: { type: string }) => type)).toEqual(['input_text', 'input_audio']);
    const names = ['instructions', 'output_modalities', 'audio', 'max_output_tokens', 'metadata', 'tools'];
    const more = ['tool_choice', 'parallel_tool_calls', 'conversation', 'input', 'prompt', 'reasoning'];
    const response = Object.fromEntries([...names, ...more].map(name => [name, null]));
    client.send({ type: 'response.create', response });
    expect((await client.next('response.done')).response.status).toBe('completed');
    expect(await client.refused({ type: 'response.cancel', response_id: null })).toMatchObject({
      code: 'response_cancel_not_active',
    });
  });
});

describe('shapes', () => {
  it('of tools without type or name, and of formats without type, are taken', async () => {
    const client = await connect();
    client.send({
      type: 'session.update',
      session: {
        tools: [
          { name: 'f', parameters: { type: 'object' } },
          { type: 'function', description: 'nameless' },
        ],
        audio: { input: { format: { rate: 24_000 } }, output: { format: {} } },
      },
    });
    const { session: config } = await client.next('session.updated');
    expect(config.tools).toEqual([
      { type: 'function', name: 'f', parameters: { type: 'object' } },
      { type: 'function', description: 'nameless' },
    ]);
    const format = { type: 'audio/pcm', rate: 24_000 };
    expect([config.audio.input.format, config.audio.output.format]).toEqual([format, format]);
  });

  it('of a restored history are taken: words without sound, and assistants that said nothing', async () => {
    const client = await connect();
    const message = (role: string, content: object[]) =>
      client.send({ type: 'conversation.item.create', item: { type: 'message', role, content } });
    message('user', [{ type: 'input_audio', transcript: 'hello' }]);
    message('assistant', [{ type: 'output_audio', transcript: 'Hi.' }]);
    message('assistant', []);
    message('assistant', [{ type: 'output_text', text: null }]);
    addText(client, 'after');
    const contents = [];
    for (let n = 0; n < 5; n++) contents.push((await client.next('conversation.item.done')).item.content);
    expect(contents).toEqual([
      [{ type: 'input_audio', transcript: 'hello' }],
      [{ type: 'output_audio', transcript: 'Hi.' }],
      [],
      [{ type: 'output_text', text: '' }],
      [{ type: 'input_text', text: 'after' }],
    ]);
  });
});
