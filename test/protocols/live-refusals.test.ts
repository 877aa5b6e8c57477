/** What the GPT-Live door refuses, how it says so, and how it ends. */
import { describe, expect, it } from 'vitest';
import { LiveRig } from '../support/live-rig.ts';

const rig = (options = {}) => new LiveRig({ replies: [[{ text: 'Yes.', frames: 10 }]], ...options });

describe('a start that is refused', () => {
  it.each([
    [{ voice: 'x' }, 'unknown_parameter', 'session.voice'],
    [{ audio: { output: { voice: 'x', speed: 2 } } }, 'unknown_parameter', 'session.audio.output.speed'],
    [{ audio: { input: {} } }, 'unknown_parameter', 'session.audio.input'],
    [{ turn_detection: null }, 'unknown_parameter', 'session.turn_detection'],
    [{ tools: [] }, 'unknown_parameter', 'session.tools'],
    [{ audio: { format: { type: 'audio/pcm', rate: 8000 } } }, 'invalid_value', 'session.audio.format.rate'],
    [{ audio: { format: { type: 'audio/opus' } } }, 'invalid_value', 'session.audio.format.type'],
    [{ model: undefined }, 'missing_required_parameter', 'session.model'],
    [
      { delegation: { type: 'responses', responses: { model: 'm' } } },
      'unsupported_value',
      'session.delegation.type',
    ],
    [{ delegation: { type: 'decisions' } }, 'unsupported_value', 'session.delegation.type'],
    [{ delegation: { type: 'client', tools: [] } }, 'unknown_parameter', 'session.delegation.tools'],
    [{ triggers: [{ type: 'decisions' }] }, 'unsupported_value', 'session.triggers'],
    [{ store: true }, 'unsupported_value', 'session.store'],
    [
      { input: [{ role: 'user', content: [{ type: 'output_text', text: 'a' }] }] },
      'invalid_value',
      'session.input[0].content[0].type',
    ],
    [
      { input: [{ role: 'user', content: [{ text: 'a' }, { text: 'b' }] }] },
      'invalid_value',
      'session.input[0].content',
    ],
    [
      {
        input: [
          { role: 'user', id: 'a', content: [{ text: 'a' }] },
          { role: 'user', id: 'a', content: [{ text: 'b' }] },
        ],
      },
      'item_duplicate',
      undefined,
    ],
  ])('%j is told by the field, and closed', (session, code, param) => {
    const live = rig();
    const client = live.connect();
    client.start(session);
    expect(client.events).toHaveLength(1);
    expect(client.events[0]).toMatchObject({
      type: 'error',
      event_id: expect.any(String),
      client_event_id: 'start',
      error: { type: 'invalid_request_error', code, client_event_id: 'start', message: expect.any(String) },
    });
    expect(client.errors[0].param).toBe(param);
    expect(client.closed).toMatchObject({ code: 1008 });
    expect(live.runtime.sessions.size).toBe(0);
  });

  it('because the server is full is told as the server’s matter, and may be tried again', () => {
    const live = rig({ limits: { maxSessions: 1 } });
    live.started();
    const client = live.started();
    expect(client.errors).toMatchObject([{ type: 'server_error', code: 'runtime_full' }]);
    expect(client.closed).toMatchObject({ code: 1013 });
  });
});

describe('what is refused leaves the session as it is', () => {
  it.each([
    [{ type: 'session.update', session: { instructions: 'x' } }, 'unknown_parameter', 'session.instructions'],
    [
      { type: 'session.update', session: { delegation: { type: 'responses' } } },
      'unsupported_value',
      'session.delegation.type',
    ],
    [{ type: 'session.start', session: { model: 'x' } }, 'session_already_started', undefined],
    [{ type: 'session.start', session: { model: 'x', voice: 'x' } }, 'unknown_parameter', 'session.voice'],
    [{ type: 'session.input_audio.append', audio: '!' }, 'invalid_base64', 'audio'],
    [{ type: 'session.input_audio.append' }, 'missing_required_parameter', 'audio'],
    [{ type: 'session.commentary.append', content: 'x' }, 'missing_required_parameter', 'delegation_id'],
    [
      { type: 'session.commentary.append', content: 'x', delegation_id: 'd' },
      'unknown_delegation',
      'delegation_id',
    ],
    [
      { type: 'session.thinking.append', content: 'x'.repeat(8001), delegation_id: null },
      'invalid_value',
      'content',
    ],
    [{ type: 'response.create' }, 'unsupported_event', 'type'],
    [{ type: 'response.item.create', item: {} }, 'unsupported_event', 'type'],
    [{ type: 'decision.create' }, 'unsupported_event', 'type'],
    [{ type: 'transport.dtmf.send', event: '1' }, 'unsupported_event', 'type'],
    [{ type: 'input_audio_buffer.append', audio: '' }, 'unknown_event_type', 'type'],
    [{ type: 7 }, 'unknown_event_type', 'type'],
    [{}, 'missing_required_parameter', 'type'],
  ])('%j', async (event, code, param) => {
    const client = rig().started();
    client.send({ ...event, event_id: 'e' });
    expect(client.errors).toMatchObject([{ code, client_event_id: 'e' }]);
    expect(client.errors[0].param).toBe(param);
    await client.say(600);
    await client.silence(2000);
    expect(client.said('output')).toBe('Yes.');
    expect(client.closed).toBeNull();
  });

  it('but a stream of binary frames ends the connection: each is told off', () => {
    const client = rig().started();
    for (let i = 0; i < 1000; i++) client.binary(Buffer.alloc(3));
    expect(client.errors.length).toBeLessThanOrEqual(51);
    expect(client.closed).toMatchObject({ code: 1003 });
  });

  it('and so do frames that are no events', () => {
    const client = rig().started();
    for (const text of ['', '{', '[]', 'null', `${'['.repeat(9000)}`]) client.send(text);
    client.binary(Buffer.alloc(3));
    expect(client.errors.map(({ code }) => code)).toEqual([
      'invalid_json',
      'invalid_json',
      'invalid_event',
      'invalid_event',
      'invalid_event',
      'invalid_event',
    ]);
    expect(client.closed).toBeNull();
  });

  it('sound before the start, as a stock client sends it when it reconnects; it may still start', async () => {
    const client = rig().connect();
    client.send({ type: 'session.input_audio.append', audio: '' });
    expect(client.errors).toMatchObject([{ code: 'session_not_started' }]);
    client.start();
    client.last('session.started');
  });
});

describe('an update', () => {
  it('changes what may change, and shows everything', () => {
    const client = rig().started({ delegation: { type: 'client' } });
    expect(client.last('info')).toMatchObject({ code: 'delegation_unavailable' });
    const delegation = { type: 'client', acknowledgement_delay_ms: 300 };
    client.send({ type: 'session.update', event_id: 'u', session: { delegation, triggers: [] } });
    expect(client.last('session.updated')).toMatchObject({
      client_event_id: 'u',
      session: { delegation, model: 'test' },
    });
  });
});

describe('the end', () => {
  it('comes with the lifetime, and is told as that', async () => {
    const client = rig().connect({}, { lifetimeMs: 5000 });
    client.start();
    await client.silence(5100);
    expect(client.last('session.closed')).toMatchObject({ reason: 'expired', usage: { seconds: 5 } });
    expect(client.closed).toMatchObject({ code: 1000 });
  });

  it('comes where no frame does, started or not', async () => {
    const live = rig();
    for (const starts of [true, false]) {
      const client = live.connect({}, { idleMs: 3000 });
      if (starts) client.start();
      await client.wait(3100);
      expect(client.errors).toMatchObject([{ code: 'session_idle' }]);
      expect(client.all('session.closed')).toHaveLength(starts ? 1 : 0);
      expect(client.closed).toMatchObject({ code: 1000 });
    }
  });

  it('takes the session along when the client is gone, or does not read', async () => {
    const live = rig();
    const gone = live.started();
    gone.hangUp();
    expect(live.runtime.sessions.size).toBe(0);
    const slow = live.started();
    slow.unsentBytes = 2 ** 53;
    await slow.wait(100);
    expect(slow.closed).toMatchObject({ code: 1008, reason: expect.stringMatching(/^slow reader/) });
    expect(live.runtime.sessions.size).toBe(0);
    await slow.wait(1000);
  });

  it('is told when the server takes the session away', async () => {
    const live = rig();
    const client = live.started();
    await live.runtime.close();
    expect(client.last('session.closed')).toMatchObject({ reason: 'connection_lost' });
    expect(client.closed).toMatchObject({ code: 1011 });
  });

  it('tells of the time meanwhile, in seconds of the whole session', async () => {
    const client = rig().started();
    await client.wait(25_000);
    expect(client.all('session.usage.updated').map(({ usage }) => usage.seconds)).toEqual([10, 20]);
  });
});
