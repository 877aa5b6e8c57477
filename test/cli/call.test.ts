import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { callAddress, shownAddress } from '../../cli/call/address.ts';
import { call } from '../../cli/call/call.ts';
import { CallingClient } from '../../cli/call/call-session.ts';
import type { CallTurn } from '../../cli/call/call-turns.ts';
import { CallingLine, type WireEvent } from '../../cli/call/line.ts';
import { toPcm16 } from '../../cli/media/pcm16.ts';
import { readWav } from '../../cli/media/wav.ts';
import { encodeWav } from '../../cli/media/wav-format.ts';
import { seededArray } from '../support/arrays.ts';
import { startLiveServer } from '../support/live-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-call-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

describe('the address of a call', () => {
  it.each([
    ['localhost:8080', 'ws://localhost:8080/v1/realtime'],
    ['http://127.0.0.1:1/', 'ws://127.0.0.1:1/v1/realtime'],
    ['https://talk.example.org', 'wss://talk.example.org/v1/realtime'],
    ['talk.example.org:443', 'wss://talk.example.org/v1/realtime'],
    ['ws://h/other?model=x#y', 'ws://h/other?model=x'],
  ])('%s is %s', (text, url) => {
    expect(callAddress(text).href).toBe(url);
  });

  it('never shows a key', () => {
    expect(shownAddress(callAddress('wss://h/v1?api_key=hush'))).toBe('wss://h/v1');
    for (const bad of ['ws://hush@h', 'ws://u:hush@h', 'ftp://hush', 'ws://', 'hush nix']) {
      const error = expect.objectContaining({ code: 'call.address' });
      expect(() => callAddress(bad)).toThrow(error);
      expect(() => callAddress(bad)).not.toThrow(/hush/);
    }
  });
});

describe('a line that does not come about', () => {
  const refusing = async (status: number, body: string) => {
    const server = createServer();
    server.on('upgrade', (request, socket) => {
      const text = body.replace('KEY', String(request.headers.authorization).slice(7));
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/realtime`);
    return { url, close: () => server.close() };
  };

  it('says what the server said, without the key that some repeat', async () => {
    const { url, close } = await refusing(401, '{"error":{"message":"Incorrect key: KEY."}}');
    const error = await CallingLine.open(url, 'sk-4f9a77d0c1', () => {}).catch(error => error);
    close();
    expect(error.code).toBe('call.refused');
    expect(error.message).toMatch(/401.*Incorrect key: \(not shown\).*LONGCAT_RT_KEY/);
  });

  it('asks for a key where none was given, and for patience where the server is full', async () => {
    const locked = await refusing(401, '');
    await expect(CallingLine.open(locked.url, undefined, () => {})).rejects.toThrow(
      /Put its key into LONGCAT_RT_KEY/,
    );
    locked.close();
    const full = await refusing(503, '{"error":{"message":"All sessions are taken."}}');
    await expect(CallingLine.open(full.url, undefined, () => {})).rejects.toThrow(
      /All sessions are taken.*later/,
    );
    full.close();
  });

  it('says that nobody is there', async () => {
    const { url, close } = await refusing(500, '');
    close();
    await expect(CallingLine.open(url, undefined, () => {})).rejects.toMatchObject({
      code: 'call.unreachable',
    });
  });
});

describe('a call', () => {
  /** A server as a list of what it was told. */
  function rig(clock: VirtualClock) {
    const sent: WireEvent[] = [];
    const turns: CallTurn[] = [];
    const cleared: number[] = [];
    const line = { failure: null, send: (event: WireEvent) => void sent.push(event), hangUp: () => {} };
    const complaints: string[] = [];
    const session = new CallingClient(line, clock, 'Be brief.', {
      onTurn: turn => turns.push(turn),
      onAudio: () => {},
      onClear: () => cleared.push(clock.nowMs()),
      onState: () => {},
      onComplaint: message => complaints.push(message),
    });
    return {
      session,
      sent,
      turns,
      cleared,
      complaints,
      of: (type: string) => sent.filter(e => e.type === type),
    };
  }
  const delta = (ms: number) => toPcm16(new Float32Array(24 * ms).fill(0.5)).toString('base64');
  /** "Three?" from 0.5 to 1 s of the call, and two seconds of answer that come at once. */
  function oneTurn(session: CallingClient): void {
    session.on({ type: 'input_audio_buffer.speech_started', item_id: 'u', audio_start_ms: 500 });
    session.on({ type: 'input_audio_buffer.speech_stopped', item_id: 'u', audio_end_ms: 1000 });
    session.on({ type: 'response.created' });
    session.on({ type: 'response.output_audio_transcript.delta', item_id: 'a', delta: 'Yes.' });
    session.on({ type: 'response.output_audio.delta', item_id: 'a', delta: delta(2000) });
    session.on({ type: 'response.done', response: { status: 'completed' } });
    const transcript = { item_id: 'u', transcript: 'three' };
    session.on({ type: 'conversation.item.input_audio_transcription.completed', ...transcript });
  }

  it('tells a turn when its answer was heard, with the delay as this client hears it', async () => {
    const clock = new VirtualClock();
    const { session, turns, sent, complaints } = rig(clock);
    await clock.runFor(1300);
    oneTurn(session);
    session.tick();
    expect(turns).toEqual([]);
    expect(session.restedForMs()).toBe(0);
    await clock.runFor(2000);
    session.tick();
    expect(turns).toEqual([
      expect.objectContaining({
        turn: 1,
        userTranscript: 'three',
        text: 'Yes.',
        latencyMs: 300,
        heardMs: 2000,
      }),
    ]);
    await clock.runFor(700);
    expect(session.restedForMs()).toBe(700);
    // 1.3 s of silence, then the answer.
    expect(session.recording().length).toBe(24 * 3300);
    expect(sent[0]).toMatchObject({ type: 'session.update', session: { instructions: 'Be brief.' } });
    session.on({ type: 'error', error: { message: 'Unknown field.', event_id: sent[1].event_id } });
    session.on({ type: 'error', error: { message: 'Too loud.' } });
    expect(complaints).toEqual(['Too loud.']);
  });

  it('that is interrupted stops by the book, and tells a foreign server where', async () => {
    const clock = new VirtualClock();
    const { session, of, cleared, turns } = rig(clock);
    await clock.runFor(1000);
    oneTurn(session);
    await clock.runFor(640);
    session.on({ type: 'input_audio_buffer.speech_started', item_id: 'v', audio_start_ms: 1600 });
    expect(cleared).toEqual([1640]);
    expect(of('conversation.item.truncate')).toEqual([
      { type: 'conversation.item.truncate', item_id: 'a', content_index: 0, audio_end_ms: 640 },
    ]);
    session.tick();
    expect(turns[0]).toMatchObject({ heardMs: 640, interrupted: true });
    expect(session.recording().length).toBe(24 * 1640);
    // A second word of the person is no second interruption.
    session.on({ type: 'input_audio_buffer.speech_started', item_id: 'v', audio_start_ms: 1900 });
    expect(of('conversation.item.truncate')).toHaveLength(1);
  });

  it('leaves it to our own servers what is thrown away, and reports what was heard', async () => {
    const clock = new VirtualClock();
    const { session, of, cleared } = rig(clock);
    session.on({ type: 'session.updated', session: { longcat: { extensions: true } } });
    oneTurn(session);
    await clock.runFor(400);
    session.tick();
    session.on({ type: 'input_audio_buffer.speech_started', item_id: 'v', audio_start_ms: 300 });
    expect(cleared).toEqual([]);
    session.on({ type: 'longcat.playout.clear', item_id: null });
    expect(cleared).toEqual([400]);
    expect(of('longcat.playback.report').map(({ heard_ms }) => heard_ms)).toEqual([400, 400]);
    expect(of('conversation.item.truncate')).toEqual([]);
  });

  it('with a file reaches a running server, prints the turn and writes the answer', async () => {
    const server = await startLiveServer();
    const [question, answer] = [join(folder, 'question.wav'), join(folder, 'answer.wav')];
    const sound = new Float32Array(20_000);
    sound.set(seededArray(12_000, 1, 0.3), 2000);
    writeFileSync(question, encodeWav(sound, 16_000));
    const printed: string[] = [];
    vi.spyOn(console, 'log').mockImplementation(text => void printed.push(String(text)));
    vi.spyOn(console, 'error').mockImplementation(() => {});
    await call(server.url, question, { out: answer });
    await server.close();
    expect(printed.join('\n')).toMatch(/^turn 1 {2}speech 0\.\d+ s–\d\.\d+ s/);
    expect(printed.join('\n')).toContain(`agent  ${server.reply}  [2400 ms heard]`);
    // 40 code frames of 60 ms, at the time at which they were heard.
    expect(readWav(answer).samples.length).toBeGreaterThan(2.4 * 24_000);
  });
});
