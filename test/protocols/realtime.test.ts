import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/virtual-clock.ts';
import { openClient, pcm } from '../support/realtime-client.ts';
import { addText, serveClients } from '../support/served-clients.ts';
import { startTestServer } from '../support/test-server.ts';

const { connect, session } = serveClients();

describe('opening', () => {
  it('greets with session.created, whole and with identity, before anything else', async () => {
    const client = await connect();
    const first = client.events[0];
    expect(first.type).toBe('session.created');
    expect(first.event_id).toMatch(/^event_/);
    expect(first.session).toMatchObject({
      type: 'realtime',
      object: 'realtime.session',
      model: 'test-model',
      output_modalities: ['audio'],
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24000 },
          turn_detection: { type: 'server_vad', create_response: true },
        },
        output: { format: { type: 'audio/pcm', rate: 24000 }, speed: 1 },
      },
    });
    expect(first.session.id).toMatch(/^sess_/);
    expect(first.session.expires_at).toBeGreaterThan(Date.now() / 1000 + 3500);
  });

  it('opens transcription sessions that answer no response.create', async () => {
    const client = await connect('?intent=transcription');
    expect(client.events[0].session.type).toBe('transcription');
    client.send({ type: 'input_audio_buffer.append', audio: pcm(400, 0.5) });
    client.send({ type: 'input_audio_buffer.append', audio: pcm(700, 0) });
    await client.next('conversation.item.done');
    expect(await client.refused({ type: 'response.create' })).toMatchObject({ code: 'invalid_value' });
    expect(client.types()).not.toContain('response.created');
  });
});

describe('a spoken turn', () => {
  it('goes through the events in the order of docs/spec/protocols.md §1.7', async () => {
    const client = await connect();
    client.send({
      type: 'session.update',
      session: { type: 'realtime', audio: { input: { transcription: { model: 'any' } } } },
    });
    client.send({ type: 'input_audio_buffer.append', audio: pcm(400, 0.5) });
    client.send({ type: 'input_audio_buffer.append', audio: pcm(700, 0) });
    await client.next('response.done');
    const types = client
      .types()
      .filter(type => !type.startsWith('session.') && type !== 'conversation.created');
    const deltas = new Set(['response.output_audio.delta', 'response.output_audio_transcript.delta']);
    expect(
      types.filter(
        type => !deltas.has(type) && !type.includes('transcription') && type !== 'rate_limits.updated',
      ),
    ).toEqual([
      'input_audio_buffer.speech_started',
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'response.created',
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'response.output_item.done',
      'conversation.item.done',
      'response.done',
    ]);
    expect(types).toContain('conversation.item.input_audio_transcription.completed');
    const first = types.findIndex(type => deltas.has(type));
    expect(first).toBeGreaterThan(types.indexOf('response.content_part.added'));
  });

  it('gives deltas whose concatenation is the content of the done events', async () => {
    const client = await connect();
    addText(client, 'hi');
    client.send({ type: 'response.create' });
    const { response } = await client.next('response.done');
    const of = (type: string) => client.events.filter(event => event.type === type);
    const transcript = of('response.output_audio_transcript.delta')
      .map(event => event.delta)
      .join('');
    expect(of('response.output_audio_transcript.done')[0].transcript).toBe(transcript);
    expect(transcript).toBe('Hello, this is a reply.');
    const bytes = of('response.output_audio.delta').reduce(
      (sum, event) => sum + Buffer.from(event.delta, 'base64').length,
      0,
    );
    expect(bytes).toBe(5 * 200 * 48);
    expect(response).toMatchObject({
      status: 'completed',
      conversation_id: client.events.find(event => event.type === 'conversation.created')?.conversation.id,
      usage: { total_tokens: 15, input_tokens: 6, output_tokens: 9 },
    });
    expect(response.output[0].content).toEqual([{ type: 'output_audio', transcript }]);
  });

  it('is cancelled by the next one, with every done event sent', async () => {
    const slow = await startTestServer({ memory: { wordMs: Number.POSITIVE_INFINITY } });
    const client = await openClient(slow.url);
    client.send({ type: 'response.create' });
    await client.next('response.output_audio.delta');
    client.send({ type: 'input_audio_buffer.append', audio: pcm(100, 0.5) });
    const done = await client.next('response.done');
    expect(done.response).toMatchObject({
      status: 'cancelled',
      status_details: { type: 'cancelled', reason: 'turn_detected' },
    });
    expect(done.response.output[0].status).toBe('incomplete');
    for (const type of [
      'response.output_audio.done',
      'response.content_part.done',
      'response.output_item.done',
    ]) {
      expect(client.types()).toContain(type);
    }
    await slow.close();
  });
});

describe('session.update', () => {
  it('merges field by field and echoes the whole configuration', async () => {
    const client = await connect();
    const update = (fields: object) =>
      client.send({ type: 'session.update', session: { type: 'realtime', ...fields } });
    update({ instructions: 'Be brief.', tools: [{ type: 'function', name: 'f', parameters: {} }] });
    update({ audio: { input: { turn_detection: { type: 'server_vad', silence_duration_ms: 700 } } } });
    update({
      audio: {
        input: { turn_detection: { type: 'server_vad', threshold: 0.8 } },
        output: { format: { type: 'audio/pcmu' } },
      },
    });
    await client.next('session.updated');
    await client.next('session.updated');
    const { session: config } = await client.next('session.updated');
    expect(config.instructions).toBe('Be brief.');
    expect(config.tools).toHaveLength(1);
    expect(config.audio.input.turn_detection).toMatchObject({
      silence_duration_ms: 700,
      threshold: 0.8,
      prefix_padding_ms: 300,
    });
    expect(config.audio.output.format).toEqual({ type: 'audio/pcmu' });
    expect(session(config.id).settings.turnDetection).toMatchObject({
      endpointSilenceMs: 700,
      threshold: 0.8,
    });
  });

  it('changes nothing when it is refused', async () => {
    const client = await connect();
    const fields = { instructions: 'Not taken.', output_modalities: ['audio', 'text'] };
    const error = await client.refused({ type: 'session.update', session: fields });
    expect(error).toMatchObject({
      type: 'invalid_request_error',
      code: 'invalid_value',
      param: 'session.output_modalities',
    });
    client.send({ type: 'session.update', session: {} });
    expect((await client.next('session.updated')).session).toMatchObject({
      instructions: '',
      output_modalities: ['audio'],
    });
  });

  it('keeps the voice once the model has spoken', async () => {
    const client = await connect();
    const voice = (name: string) => ({
      type: 'session.update',
      session: { audio: { output: { voice: name } } },
    });
    client.send(voice('marin'));
    await client.next('session.updated');
    client.send({ type: 'response.create' });
    await client.next('response.done');
    expect(await client.refused(voice('cedar'))).toMatchObject({ code: 'cannot_update_voice' });
    client.send(voice('marin'));
    await client.next('session.updated');
  });

  it('works in the middle of a response', async () => {
    const client = await connect();
    client.send({ type: 'response.create' });
    await client.next('response.created');
    client.send({ type: 'session.update', session: { instructions: 'New.' } });
    expect((await client.next('session.updated')).session.instructions).toBe('New.');
    expect((await client.next('response.done')).response.status).toBe('completed');
  });

  it('names the GA field when a beta one is used', async () => {
    const client = await connect();
    const error = await client.refused({ type: 'session.update', session: { turn_detection: null } });
    expect(error).toMatchObject({ code: 'unknown_parameter', param: 'session.turn_detection' });
    expect(error.message).toContain('audio.input.turn_detection');
  });
});

describe('the input buffer', () => {
  it('waits for commit and create in manual mode', async () => {
    const client = await connect();
    client.send({ type: 'session.update', session: { audio: { input: { turn_detection: null } } } });
    client.send({ type: 'input_audio_buffer.append', audio: pcm(500, 0.5) });
    client.send({ type: 'input_audio_buffer.commit' });
    const committed = await client.next('input_audio_buffer.committed');
    const added = await client.next('conversation.item.added');
    expect(added.item).toMatchObject({
      id: committed.item_id,
      role: 'user',
      content: [{ type: 'input_audio' }],
    });
    expect(client.types()).not.toContain('response.created');
    client.send({ type: 'response.create' });
    await client.next('response.done');
  });

  it('refuses to commit nothing, with the code clients tolerate', async () => {
    const client = await connect();
    expect(await client.refused({ type: 'input_audio_buffer.commit' })).toMatchObject({
      code: 'input_audio_buffer_commit_empty',
    });
  });

  it('refuses what is no base64, and keeps what was there', async () => {
    const client = await connect();
    client.send({ type: 'session.update', session: { audio: { input: { turn_detection: null } } } });
    client.send({ type: 'input_audio_buffer.append', audio: pcm(100, 0.5) });
    expect(await client.refused({ type: 'input_audio_buffer.append', audio: 'AAA!AAAA' })).toMatchObject({
      code: 'invalid_base64',
    });
    expect(await client.refused({ type: 'input_audio_buffer.append', audio: 'AAAAA' })).toMatchObject({
      code: 'invalid_base64',
    });
    client.send({ type: 'input_audio_buffer.commit' });
    await client.next('input_audio_buffer.committed');
  });

  it('takes an append of 15 MiB of audio without keeping other sessions waiting', async () => {
    const [client, other] = [await connect(), await connect()];
    client.send({ type: 'session.update', session: { audio: { input: { turn_detection: null } } } });
    await client.next('session.updated');
    client.send({
      type: 'input_audio_buffer.append',
      audio: Buffer.alloc(15 * 1024 * 1024).toString('base64'),
    });
    client.send({ type: 'input_audio_buffer.clear' });
    const cleared = client.next('input_audio_buffer.cleared');
    other.send({ type: 'response.create' });
    const first = await Promise.race([cleared, other.next('response.done')]);
    expect(first.type).toBe('response.done');
    expect(client.types()).not.toContain('error');
    cleared.catch(() => {}); // Minutes of audio; the test leaves before they are through.
  });
});

describe('an idle timeout', () => {
  it('prompts the model when the reply has been played and nothing was said', async () => {
    const clock = new VirtualClock();
    const idle = await startTestServer({ clock });
    const client = await openClient(idle.url);
    const turn_detection = { type: 'server_vad', idle_timeout_ms: 6000 };
    client.send({ type: 'session.update', session: { audio: { input: { turn_detection } } } });
    client.send({ type: 'response.create' });
    await client.next('response.created');
    clock.runForSync(10);
    await client.next('response.done');
    clock.runForSync(6900); // The reply is 1 s long and began at 0.
    expect(client.types()).not.toContain('input_audio_buffer.timeout_triggered');
    clock.runForSync(200);
    const { item_id } = await client.next('input_audio_buffer.timeout_triggered');
    expect((await client.next('input_audio_buffer.committed')).item_id).toBe(item_id);
    expect((await client.next('conversation.item.added')).item.id).toBe(item_id);
    await client.next('response.created');
    await idle.close();
  });
});

describe('extensions', () => {
  it('are refused until they are switched on', async () => {
    const client = await connect();
    const report = { type: 'longcat.playback.report', item_id: 'x', heard_ms: 20 };
    expect(await client.refused(report)).toMatchObject({ code: 'extension_disabled' });
    expect(client.types().filter(type => type.startsWith('longcat.'))).toEqual([]);
  });

  it('carry video, play-out reports and the session state', async () => {
    const client = await connect();
    client.send({ type: 'session.update', session: { longcat: { extensions: true } } });
    const { session: config } = await client.next('session.updated');
    expect(config.longcat).toEqual({ extensions: true });
    const jpeg = await sharp({ create: { width: 32, height: 24, channels: 3, background: 'green' } })
      .jpeg()
      .toBuffer();
    client.send({ type: 'longcat.video.frame', image: jpeg.toString('base64'), captured_at_ms: 40 });
    expect(await client.next('longcat.state')).toMatchObject({ state: 'idle' });
    expect(session(config.id).pictures).toMatchObject([{ width: 32, height: 24 }]);
    expect(await client.refused({ type: 'longcat.video.frame', image: 'AAAA' })).toMatchObject({
      code: 'invalid_image',
    });
    client.send({ type: 'longcat.playback.report', item_id: 'item_1', heard_ms: 100 });
    expect(await client.next('longcat.duck')).toMatchObject({ gain_db: 0 });
    expect(session(config.id).heard).toEqual([{ itemId: 'item_1', samples: 2400 }]);
  });
});

describe('faults', () => {
  it('get an error that quotes the event, and the session lives on', async () => {
    const client = await connect();
    const faults: [unknown, string][] = [
      ['not json', 'invalid_json'],
      ['[]', 'invalid_event'],
      [{ event_id: 'e1' }, 'missing_required_parameter'],
      [{ event_id: 'e2', type: 'no.such' }, 'unknown_event_type'],
      [{ event_id: 'e3', type: 'input_audio_buffer.append' }, 'missing_required_parameter'],
      [
        {
          event_id: 'e4',
          type: 'conversation.item.truncate',
          item_id: 'x',
          content_index: 0,
          audio_end_ms: -1,
        },
        'invalid_value',
      ],
      [{ event_id: 'e5', type: 'output_audio_buffer.clear' }, 'unsupported_event'],
    ];
    for (const [event, code] of faults) {
      client.send(event);
      const { error } = await client.next('error');
      expect(error.code).toBe(code);
      expect(error.event_id).toBe((event as { event_id?: string }).event_id ?? null);
    }
    client.socket.send(Buffer.from('{}'), { binary: true });
    expect((await client.next('error')).error.code).toBe('invalid_event');
    client.send({ type: 'response.create' });
    await client.next('response.done');
  });
});
