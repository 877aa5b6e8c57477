import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pcm, RealtimeClient } from '../support/realtime-client.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const HEADER = { 'OpenAI-Beta': 'realtime=v1' };

let server: TestServer;
const clients: RealtimeClient[] = [];
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function connect(
  query = '?model=any',
  protocols: string[] = [],
  headers: object = HEADER,
): Promise<RealtimeClient> {
  const client = new RealtimeClient(`${server.url}/v1/realtime${query}`, protocols, {
    headers: { ...headers },
  });
  clients.push(client);
  await client.opened;
  return client;
}

/** Names of the GA shape that a client of the beta shape must never see. */
const GA_ONLY =
  /"(output_modalities|output_text|output_audio)"|response\.output_(text|audio)|conversation\.item\.(added|done)/;

describe('the beta shape, behind its header', () => {
  it('greets in its own names', async () => {
    const { session } = await (await connect()).next('session.created');
    expect(session).toMatchObject({
      object: 'realtime.session',
      modalities: ['text', 'audio'],
      voice: expect.any(String),
      input_audio_format: 'pcm16',
      output_audio_format: 'pcm16',
      input_audio_transcription: null,
      turn_detection: { type: 'server_vad' },
      max_response_output_tokens: 'inf',
      tools: [],
    });
    expect(session.audio).toBeUndefined();
    const browser = await connect('?model=any', ['realtime', 'openai-beta.realtime-v1'], {});
    expect((await browser.next('session.created')).session.modalities).toEqual(['text', 'audio']);
  });

  it('holds a whole conversation, spoken and written, without a name of the GA shape', async () => {
    const client = await connect();
    client.send({
      type: 'session.update',
      session: {
        modalities: ['audio', 'text'],
        voice: 'alloy',
        input_audio_format: 'g711_ulaw',
        output_audio_format: 'pcm16',
        input_audio_transcription: { model: 'whisper-1' },
        turn_detection: { silence_duration_ms: 400 },
        temperature: 0.8,
        max_response_output_tokens: 200,
        tools: [],
      },
    });
    expect((await client.next('session.updated')).session).toMatchObject({
      input_audio_format: 'g711_ulaw',
      turn_detection: { type: 'server_vad', silence_duration_ms: 400 },
      max_response_output_tokens: 200,
      input_audio_transcription: { model: 'whisper-1' },
    });
    const tone = Buffer.alloc(3200, 0x00); // µ-law's loudest.
    client.send({ type: 'input_audio_buffer.append', audio: tone.toString('base64') });
    client.send({ type: 'input_audio_buffer.append', audio: Buffer.alloc(5600, 0xff).toString('base64') });
    const spoken = await client.next('response.done');
    expect(spoken.response).toMatchObject({
      status: 'completed',
      modalities: ['text', 'audio'],
      output_audio_format: 'pcm16',
      output: [{ role: 'assistant', content: [{ type: 'audio', transcript: 'Hello, this is a reply.' }] }],
    });
    client.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Write.' }] },
    });
    client.send({ type: 'response.create', response: { modalities: ['text'] } });
    const created = await client.next('response.created');
    expect(created.response.modalities).toEqual(['text']);
    expect((await client.next('response.text.done')).text).toBe('Hello, this is a reply.');
    const { item } = await client.next('response.output_item.done');
    expect(item.content).toEqual([{ type: 'text', text: 'Hello, this is a reply.' }]);
    await client.next('response.done');
    for (const type of ['response.audio.delta', 'response.audio.done', 'response.audio_transcript.delta'])
      expect(client.types()).toContain(type);
    expect(client.events.filter(event => GA_ONLY.test(JSON.stringify(event)))).toEqual([]);
    expect(client.types().filter(type => type === 'conversation.item.created')).toHaveLength(4);
    // Items stand before what is said of them.
    const types = client.types();
    expect(types.indexOf('conversation.item.created')).toBeLessThan(
      types.indexOf('response.content_part.added'),
    );
  });

  it('takes back history as it gave it', async () => {
    const client = await connect();
    const content = [{ type: 'audio', transcript: 'I said so.' }];
    client.send({ type: 'conversation.item.create', item: { type: 'message', role: 'assistant', content } });
    const { item } = await client.next('conversation.item.created');
    expect(item.content).toEqual(content);
  });

  it('names what it refuses in the beta’s words', async () => {
    const client = await connect();
    const refused = (session: object) => client.refused({ type: 'session.update', session });
    expect(await refused({ turn_detection: { type: 'server_vad', threshold: 3 } })).toMatchObject({
      param: 'session.turn_detection.threshold',
      message: expect.stringContaining('session.turn_detection.threshold'),
    });
    expect(await refused({ input_audio_format: 'opus' })).toMatchObject({
      param: 'session.input_audio_format',
    });
    expect(await refused({ modalities: ['smell'] })).toMatchObject({ param: 'session.modalities[0]' });
    const response = { max_response_output_tokens: 0 };
    expect(await client.refused({ type: 'response.create', response })).toMatchObject({
      param: 'response.max_response_output_tokens',
    });
  });

  it('opens transcription sessions as it had them', async () => {
    const client = await connect('?intent=transcription');
    const { session } = await client.next('transcription_session.created');
    expect(session).toMatchObject({ input_audio_format: 'pcm16', turn_detection: { type: 'server_vad' } });
    client.send({
      type: 'transcription_session.update',
      session: { input_audio_transcription: { model: 'whisper-1' }, turn_detection: null },
    });
    expect((await client.next('transcription_session.updated')).session).toMatchObject({
      input_audio_transcription: { model: 'whisper-1' },
      turn_detection: null,
    });
    client.send({ type: 'input_audio_buffer.append', audio: pcm(400, 0.4) });
    client.send({ type: 'input_audio_buffer.commit' });
    const done = await client.next('conversation.item.input_audio_transcription.completed');
    expect(done.transcript).toBe('hello');
  });

  it('gives way to a client that speaks GA in spite of its header', async () => {
    const client = await connect();
    await client.next('session.created');
    client.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['audio'] } });
    expect((await client.next('session.updated')).session.output_modalities).toEqual(['audio']);
    client.send({ type: 'response.create' });
    await client.next('response.output_audio.delta');
    await client.next('conversation.item.done');
  });
});

describe('the beta shape without its header', () => {
  it.each([
    [{ type: 'session.update', session: { modalities: ['text'] } }, 'session.modalities'],
    [{ type: 'session.update', session: { turn_detection: null } }, 'session.turn_detection'],
    [{ type: 'response.create', response: { modalities: ['text'] } }, 'response.modalities'],
    [{ type: 'response.create', response: { voice: 'alloy' } }, 'response.voice'],
  ])('is refused at once: %j', async (event, param) => {
    const client = await connect('?model=any', [], {});
    const error = await client.refused(event);
    expect(error).toMatchObject({ code: 'unknown_parameter', param });
    expect(error.message).toContain('OpenAI-Beta: realtime=v1');
    expect(client.types()).not.toContain('response.created');
  });
});
