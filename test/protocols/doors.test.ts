import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RealtimeClient } from '../support/realtime-client.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const PATHS = [
  '/v1/realtime',
  '/v1/realtime/',
  '/v1/realtime//',
  '/openai/v1/realtime',
  '/openai/v1/realtime/',
  '/openai/realtime',
];

/** Lengths that keys have: one letter, a usual one, a token of some kilobytes. */
const KEYS = ['k', 'sk-0123456789', 'x'.repeat(20_000)];

describe.each(['uws', 'ws'] as const)('the doors of %s', socketServer => {
  let server: TestServer;
  const clients: RealtimeClient[] = [];
  const auth = (key = KEYS[1]) => ({ authorization: `Bearer ${key}` });
  const post = (path: string, body: object, headers: Record<string, string> = auth()) =>
    fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  const open = async (path: string, protocols: string[] = [], headers: Record<string, string> = auth()) => {
    const client = new RealtimeClient(server.url + path, protocols, { headers });
    clients.push(client);
    await client.opened;
    return client;
  };

  beforeAll(async () => {
    server = await startTestServer({ socketServer, keys: KEYS });
  });
  afterAll(() => server.close());
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  it.each(PATHS)('opens a session at %s', async path => {
    const client = await open(`${path}?model=any`);
    expect((await client.next('session.created')).session.type).toBe('realtime');
  });

  it('takes Azure’s word for the model, and still only one opening', async () => {
    const client = await open('/openai/realtime?api-version=2024-10-01-preview&deployment=any');
    await client.next('session.created');
    await expect(open('/v1/realtime?deployment=a&call_id=rtc_1')).rejects.toThrow('404');
    await expect(open('/realtime?model=any')).rejects.toThrow('404');
    await expect(open('/openai/v2/realtime?model=any')).rejects.toThrow('404');
  });

  it.each(KEYS.map(key => [key.length, key] as const))(
    'takes a key of %i characters',
    async (_length, key) => {
      const client = await open('/v1/realtime?model=any', [], auth(key));
      await client.next('session.created');
      const other = await open('/v1/realtime?model=any', ['realtime', `openai-insecure-api-key.${key}`], {});
      await other.next('session.created');
      expect((await fetch(`${server.url}/v1/models`, { headers: { 'api-key': key } })).status).toBe(200);
    },
  );

  it('opens GPT-Live sessions, and has clear words for the ways in that are not built', async () => {
    for (const path of ['/v1/live/sessions', '/v1/live/sessions/', '/openai/v1/live/sessions']) {
      const client = await open(path);
      client.send({ type: 'session.start', session: { model: 'any' } });
      expect((await client.next('session.started')).session.model).toBe('test-model');
    }
    const browser = await open('/v1/live/sessions', [`openai-insecure-api-key.${KEYS[1]}`], {});
    browser.send({ type: 'session.start', session: { model: 'any' } });
    await browser.next('session.started');
    await expect(open('/v1/live/sessions', [], {})).rejects.toThrow('401');
    await expect(open('/v1/live/sessions/live_1/attach')).rejects.toThrow('404'); // No such session.
    await expect(open('/v1/live/sessions/live_1/fork')).rejects.toThrow('400');
    await expect(open('/v1/live/sessions/live_1/what')).rejects.toThrow('404');
    const codeOf = async (answer: Response) => [
      answer.status,
      ((await answer.json()) as { error: { code: string } }).error.code,
    ];
    const sdp = { session: { model: 'x' }, transport: { type: 'webrtc', sdp: 'v=0' } };
    expect(await codeOf(await post('/v1/live/sessions', sdp))).toEqual([400, 'unsupported_transport']);
    expect(await codeOf(await post('/v1/live/sessions', sdp, {}))).toEqual([401, 'missing_api_key']);
    expect(await codeOf(await post('/v1/live/sessions/live_1/fork', {}))).toEqual([
      400,
      'unsupported_endpoint',
    ]);
    expect(await codeOf(await fetch(`${server.url}/v1/live/sessions`))).toEqual([426, 'upgrade_required']);
  });

  it('lists its model', async () => {
    const get = async (path: string, headers = auth()) => {
      const answer = await fetch(server.url + path, { headers });
      return [answer.status, (await answer.json()) as Record<string, unknown>] as const;
    };
    const model = { id: 'test-model', object: 'model', created: 0, owned_by: 'longcat-rt' };
    for (const path of ['/v1/models', '/v1/models/', '/openai/v1/models']) {
      expect(await get(path)).toEqual([200, { object: 'list', data: [model] }]);
    }
    expect(await get('/v1/models/test-model')).toEqual([200, model]);
    expect(await get('/v1/models/gpt')).toMatchObject([404, { error: { code: 'model_not_found' } }]);
    expect(await get('/v1/models/%E0%A4')).toMatchObject([404, { error: { code: 'model_not_found' } }]);
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(401);
    expect((await post('/v1/models', {})).status).toBe(405);
  });

  it('gives the beta’s ephemeral keys, whose sessions start configured', async () => {
    const answer = await post('/v1/realtime/sessions', {
      model: 'any',
      modalities: ['text'],
      instructions: 'Be brief.',
      input_audio_format: 'g711_ulaw',
      turn_detection: { type: 'server_vad', silence_duration_ms: 900 },
    });
    const session = (await answer.json()) as { client_secret: { value: string } };
    expect(session).toMatchObject({
      object: 'realtime.session',
      modalities: ['text'],
      instructions: 'Be brief.',
      input_audio_format: 'g711_ulaw',
      output_audio_format: 'pcm16',
      turn_detection: { type: 'server_vad', silence_duration_ms: 900, create_response: true },
      client_secret: { value: expect.stringMatching(/^ek_/), expires_at: expect.any(Number) },
    });
    const protocols = ['realtime', `openai-insecure-api-key.${session.client_secret.value}`];
    const client = await open('/v1/realtime?model=any', protocols, {});
    expect((await client.next('session.created')).session).toMatchObject({
      instructions: 'Be brief.',
      output_modalities: ['text'],
      audio: { input: { format: { type: 'audio/pcmu' }, turn_detection: { silence_duration_ms: 900 } } },
    });
  });

  it('gives keys for transcription, and names what it refuses as the beta did', async () => {
    const answer = await post('/v1/realtime/transcription_sessions', {
      input_audio_transcription: { model: 'whisper-1', language: 'en' },
      turn_detection: null,
    });
    const session = (await answer.json()) as { client_secret: { value: string } };
    expect(session).toMatchObject({
      object: 'realtime.transcription_session',
      input_audio_transcription: { model: 'whisper-1', language: 'en' },
      turn_detection: null,
    });
    const protocols = ['realtime', `openai-insecure-api-key.${session.client_secret.value}`];
    const client = await open('/v1/realtime', protocols, {});
    expect((await client.next('session.created')).session.type).toBe('transcription');
    const refused = await post('/v1/realtime/sessions', { input_audio_format: 'opus' });
    const { error } = (await refused.json()) as { error: { message: string } };
    expect([refused.status, error.message]).toEqual([
      400,
      expect.stringContaining('session.input_audio_format'),
    ]);
  });

  it('shows with a key what its session will be', async () => {
    const answer = await post('/v1/realtime/client_secrets', {
      session: { type: 'realtime', instructions: 'Hm.' },
    });
    expect(await answer.json()).toMatchObject({
      value: expect.stringMatching(/^ek_/),
      session: {
        ...{ type: 'realtime', object: 'realtime.session', instructions: 'Hm.', id: expect.any(String) },
        audio: { input: { turn_detection: { type: 'server_vad' } }, output: { speed: 1 } },
      },
    });
  });
});

describe('a transcription session', () => {
  it('is told of with its own fields and no others, and listens from the start', async () => {
    const server = await startTestServer();
    const client = new RealtimeClient(`${server.url}/v1/realtime?intent=transcription`);
    const { session } = await client.next('session.created');
    expect(Object.keys(session).sort()).toEqual(
      ['audio', 'expires_at', 'id', 'include', 'longcat', 'object', 'type'].sort(),
    );
    expect(session).toMatchObject({
      object: 'realtime.transcription_session',
      type: 'transcription',
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24_000 },
          noise_reduction: null,
          transcription: { model: 'test-model' },
          turn_detection: { type: 'server_vad' },
        },
      },
    });
    expect(session.audio.output).toBeUndefined();
    const include = ['item.input_audio_transcription.logprobs'];
    const error = await client.refused({ type: 'session.update', session: { include } });
    expect(error).toMatchObject({ code: 'invalid_value', param: 'session.include' });
    expect(error.message).toContain('logprobs');
    client.close();
    await server.close();
  });
});
