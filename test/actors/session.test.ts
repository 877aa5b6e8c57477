import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.ts';
import { type Caller, packet, SessionRig } from '../support/session-rig.ts';
import {
  addItem,
  clearInput,
  commitInput,
  createResponse,
  pushAudio,
  pushVideo,
  update,
} from '../support/told.ts';

const REPLIES = [
  [
    { text: 'Yes, ', frames: 10 },
    { text: 'I can hear you. ', frames: 20 },
    { text: 'Go on.', frames: 10 },
  ],
];
const IMAGE = { width: 2, height: 2, data: new Uint8Array(12) };
const types = (caller: Caller) =>
  caller.events.map(({ type }) => type).filter((type, i, all) => type !== 'state' && type !== all[i - 1]);

describe('a spoken turn', () => {
  it('goes from user audio to agent audio, with events in the order of the protocol', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open();
    await caller.silence(400);
    await caller.say(1400);
    await caller.silence(4000);
    expect(types(caller)).toEqual([
      'speech.started',
      'speech.stopped',
      'input.committed',
      'item.added',
      'item.done',
      'input.untranscribed',
      'response.created',
      'item.added',
      'response.text',
      'response.audio',
      'item.done',
      'response.done',
      'turn.trace',
    ]);
    expect(caller.states).toEqual(['userSpeaking', 'maybeDone', 'speculating', 'agentSpeaking', 'idle']);
    expect(caller.audioMs).toBe(40 * 60);
    expect(caller.last('response.done')).toMatchObject({ status: { kind: 'completed' } });
    expect(caller.session.items.map(({ role, status }) => [role, status])).toEqual([
      ['user', 'completed'],
      ['assistant', 'completed'],
    ]);
  });

  it('stands in the model’s context as spec 5.6 writes it', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ instructions: 'Be kind.' });
    await caller.say(1000);
    await caller.silence(4000);
    const text = rig.contextText().replace(/~+/g, run => `~×${run.length}`);
    // 1 s of speech and 200 ms of silence until t3 are 15 vectors, 12 of them in the first chunk.
    expect(text).toBe(
      'SYSTEM:Be kind.</longcat_s>\nUSER:<audio>~×15</audio>\nVOICE ASSISTANT:Yes, </pause>I can hear you. </pause>Go on.</longcat_s>\n',
    );
  });

  it('counts its milliseconds so that they add up', async () => {
    const rig = new SessionRig({
      replies: REPLIES,
      costs: { languageModel: () => 90, audioEncoder: () => 30, ganDecoder: () => 25 },
    });
    const caller = rig.open();
    await caller.say(1200);
    await caller.silence(6000);
    const { trace } = caller.last('turn.trace')!;
    const { speechEnd, speculate, endpoint, firstAudio } = trace.timeline;
    expect(speculate! - speechEnd!).toBe(200);
    expect(endpoint! - speechEnd!).toBeGreaterThanOrEqual(650);
    expect(trace.waterfall!.totalMs).toBeCloseTo(firstAudio! - speechEnd!, 3);
    const sum = trace.waterfall!.entries.reduce((total, { ms }) => total + ms, 0);
    expect(Math.abs(sum - (firstAudio! - speechEnd!))).toBeLessThan(1);
    expect(trace.waterfall!.entries.map(({ cause }) => cause)).toEqual([
      'endpointing',
      'audio encoding',
      'prefill',
      'decode',
      'vocoder',
    ]);
  });

  it('blames the gate, not the decoder, while sound that is ready waits for the endpoint', async () => {
    const rig = new SessionRig({ replies: REPLIES, costs: { languageModel: () => 27 } });
    const caller = rig.open();
    await caller.say(1200);
    await caller.silence(6000);
    const { waterfall } = caller.last('turn.trace')!.trace;
    const ms = Object.fromEntries(waterfall!.entries.map(entry => [entry.cause, entry.ms]));
    // Five steps until frames 0…3 are complete (docs/spec/model.md §1.9); the first is counted with the prefill.
    expect(ms.decode).toBeCloseTo(4 * 27, 6);
    expect(ms.gate).toBeCloseTo(waterfall!.totalMs - ms.endpointing - ms.prefill - ms.decode, 6);
    expect(ms.gate).toBeGreaterThan(250);
  });

  it('delivers what speculation made ready at the endpoint itself, and later without speculation', async () => {
    const first = async (speculateSilenceMs: number) => {
      const rig = new SessionRig({ replies: REPLIES, costs: { languageModel: () => 30 } });
      const caller = rig.open({ turnDetection: { ...VAD, speculateSilenceMs } });
      await caller.say(1000);
      await caller.silence(4000);
      const { timeline } = caller.last('turn.trace')!.trace;
      return timeline.firstAudio! - timeline.endpoint!;
    };
    expect(await first(200)).toBe(0);
    // Tail prefill and five steps, docs/spec/model.md §1.9.
    expect(await first(650)).toBeGreaterThanOrEqual(5 * 30);
  });

  it('takes the speculation back when the user goes on, and nothing of it is seen', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open();
    await caller.say(800);
    await caller.silence(400);
    expect(caller.state).toBe('speculating');
    await caller.say(600);
    expect(caller.states).toEqual(['userSpeaking', 'maybeDone', 'speculating', 'userSpeaking']);
    expect(caller.all('response.created')).toHaveLength(0);
    expect(rig.contextText()).not.toContain('ASSISTANT');
    await caller.silence(4000);
    expect(caller.last('turn.trace')!.trace).toMatchObject({ speculations: 2, rollbacks: 1 });
    expect(rig.contextText().match(/VOICE ASSISTANT:/g)).toHaveLength(1);
    // 800 + 400 + 600 ms, and 200 ms until the second speculation.
    expect(rig.contextText().match(/~/g)).toHaveLength(25);
  });

  it('is counted once, however often it was speculated on', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open();
    await caller.say(800);
    await caller.silence(400);
    await caller.say(600);
    await caller.silence(4000);
    const { usage } = caller.last('response.done')!;
    expect(usage.inputAudioTokens).toBe(rig.contextText().match(/~/g)!.length);
    // Header, begin and end of audio, newline, header.
    expect(usage.inputTextTokens).toBe('USER:'.length + 2 + 1 + 'VOICE ASSISTANT:'.length);
  });

  it('is counted in the usage of a reply that was asked for before its encoders were done', async () => {
    const rig = new SessionRig({ replies: REPLIES, costs: { audioEncoder: () => 50 } });
    const caller = rig.open({ turnDetection: { mode: 'manual' } });
    await caller.say(800);
    commitInput(caller.session);
    createResponse(caller.session);
    await caller.silence(4000);
    expect(caller.last('response.done')!.usage.inputAudioTokens).toBe(10);
  });

  it('is captioned word by word where the model hears words, each once, and to the end', async () => {
    const rig = new SessionRig({ replies: REPLIES, captions: true });
    const caller = rig.open();
    await caller.say(800);
    await caller.silence(400);
    await caller.say(600);
    await caller.silence(4000);
    // 2 s of audio until the second speculation: 25 vectors.
    const words = 'w0 w5 w10 w15 w20';
    const captions = caller.all('input.transcript');
    expect(captions.map(({ delta }) => delta).join('')).toBe(words);
    expect(captions.map(({ final }) => final)).toEqual([...captions.slice(1).map(() => false), true]);
    expect(caller.session.items[0].content[0]).toMatchObject({ transcript: words });
    expect(caller.last('turn.trace')!.trace.userTranscript).toBe(words);
    const order = types(caller);
    expect(order.lastIndexOf('input.transcript')).toBeGreaterThan(order.indexOf('input.committed'));
  });

  it('goes on over several turns', async () => {
    const rig = new SessionRig({ replies: [[{ text: 'One.', frames: 10 }], [{ text: 'Two.', frames: 10 }]] });
    const caller = rig.open();
    for (let turn = 0; turn < 3; turn++) {
      await caller.say(700);
      await caller.silence(2500);
    }
    expect(caller.all('turn.trace').map(({ trace }) => [trace.turn, trace.text])).toEqual([
      [1, 'One.'],
      [2, 'Two.'],
      [3, 'One.'],
    ]);
    expect(rig.contextText().match(/USER:/g)).toHaveLength(3);
  });
});

const VAD = {
  mode: 'vad',
  threshold: 0.5,
  prefixPaddingMs: 300,
  endpointSilenceMs: 650,
  speculateSilenceMs: 200,
  createResponse: true,
  interruptResponse: true,
} as const;

describe('pictures', () => {
  it('stand before the turn sparsely and inside it densely, stamped with their time', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open();
    const film = (fromMs: number, toMs: number) => {
      for (let at = fromMs; at < toMs; at += 500) {
        rig.clock.setTimer(at, () => pushVideo(caller.session, IMAGE));
      }
    };
    film(0, 9000);
    await caller.silence(4000);
    await caller.say(2100);
    await caller.silence(3000);
    const stamps = [...rig.contextText().matchAll(/second\{([\d.]+)\}:(#+|)/g)].map(match => [
      Number(match[1]),
      match[2].length,
    ]);
    // Sparse at 0, 2 and 4 s; the turn starts near 4 s: one unit of two pictures each second, one for the rest.
    expect(stamps.slice(0, 3).map(([at]) => at)).toEqual([0, 2, 4]);
    expect(stamps.slice(3).map(([at]) => at)).toEqual([4.5, 5.0, 6.0].slice(0, stamps.length - 3));
    for (const [, tokens] of stamps) expect(tokens).toBe(8);
  });
});

describe('manual turn-taking', () => {
  it('commits what was pushed and answers when asked', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ turnDetection: { mode: 'manual' } });
    expect(codeOf(() => commitInput(caller.session))).toBe('input.empty');
    await caller.say(1500);
    const itemId = commitInput(caller.session);
    expect(caller.session.items.map(({ id }) => id)).toEqual([itemId]);
    await caller.wait(100);
    expect(caller.all('response.created')).toHaveLength(0);
    const responseId = 'resp_mine';
    caller.session.send({ type: 'response.create', responseId });
    expect(codeOf(() => createResponse(caller.session))).toBe('response.active');
    await caller.wait(5000);
    expect(caller.last('response.done')).toMatchObject({ responseId, status: { kind: 'completed' } });
    expect(caller.last('response.created')).toMatchObject({ responseId });
    expect(rig.contextText().replace(/~+/, '~')).toMatch(/^USER:<audio>~<\/audio>\nVOICE ASSISTANT:Yes, /);
    expect(caller.state).toBe('idle');
  });

  it('answers other items while audio is being buffered, without seeing half of it', async () => {
    const rig = new SessionRig({ replies: [[{ text: 'Yes.', frames: 10 }]] });
    const { session } = rig.open({ turnDetection: { mode: 'manual' }, outputModality: 'text' });
    pushAudio(session, new Float32Array(32_000));
    addItem(session, { role: 'user', content: [{ type: 'text', text: 'Hello?' }] });
    createResponse(session);
    await rig.clock.runFor(100);
    expect(rig.contextText()).toBe('USER:Hello?\nASSISTANT:Yes.</longcat_s>\n');
    pushAudio(session, new Float32Array(16_000));
    commitInput(session);
    await rig.clock.runFor(100);
    expect(rig.contextText()).toBe(
      `USER:Hello?\nASSISTANT:Yes.</longcat_s>\nUSER:<audio>${'~'.repeat(37)}</audio>\n`,
    );
  });

  it('forgets cleared input', async () => {
    const rig = new SessionRig();
    const caller = rig.open({ turnDetection: { mode: 'manual' } });
    await caller.say(3000);
    clearInput(caller.session);
    await caller.wait(100);
    expect(codeOf(() => commitInput(caller.session))).toBe('input.empty');
    expect(caller.last('input.cleared')).toBeDefined();
    expect(rig.contextText()).toBe('');
  });

  it('keeps no more audio than the limit, and says so once', async () => {
    const rig = new SessionRig({ limits: { maxBufferedSpeechMs: 1000 } });
    const caller = rig.open({ turnDetection: { mode: 'manual' } });
    await caller.say(2000);
    expect(caller.all('error').map(error => error.code)).toEqual(['input.full']);
    commitInput(caller.session);
    const [item] = caller.session.items;
    expect(item.content[0]).toMatchObject({ type: 'audio' });
    expect(item.content[0].type === 'audio' && item.content[0].samples.length).toBe(16_000);
  });
});

describe('VAD flags', () => {
  it('only reports and commits when neither replies nor interruptions are wanted', async () => {
    const rig = new SessionRig();
    const caller = rig.open({ turnDetection: { ...VAD, createResponse: false, interruptResponse: false } });
    await caller.say(800);
    await caller.silence(2000);
    expect(caller.all('input.committed')).toHaveLength(1);
    expect(caller.all('response.created')).toHaveLength(0);
    expect(caller.states).toEqual(['userSpeaking', 'maybeDone', 'idle']);
  });

  it('lets the agent finish and answers afterwards when interruptions are off', async () => {
    const rig = new SessionRig({ replies: [[{ text: 'A long answer.', frames: 60 }]] });
    const caller = rig.open({ turnDetection: { ...VAD, interruptResponse: false } });
    await caller.say(800);
    await caller.silence(1200);
    await caller.say(500);
    await caller.silence(9000);
    expect(caller.all('response.done').map(({ status }) => status.kind)).toEqual(['completed', 'completed']);
    expect(caller.all('duck')).toHaveLength(0);
    expect(caller.session.items.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
  });

  it('takes audio that stops coming as silence', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open();
    await caller.say(800);
    await caller.wait(6000);
    expect(caller.last('response.done')).toMatchObject({ status: { kind: 'completed' } });
    expect(caller.state).toBe('idle');
  });

  it('ends a turn that reaches the limit of buffered speech', async () => {
    const rig = new SessionRig({ replies: REPLIES, limits: { maxBufferedSpeechMs: 2000 } });
    const caller = rig.open({ turnDetection: { ...VAD, interruptResponse: false } });
    await caller.say(2400);
    expect(caller.all('input.committed')).toHaveLength(1);
  });
});

describe('settings', () => {
  it('are merged, and refused without changing anything', () => {
    const { session } = new SessionRig().open();
    update(session, { temperature: 0.7 });
    expect(codeOf(() => update(session, { topP: 2, temperature: 1 }))).toBe('settings.invalid');
    expect(session.settings).toMatchObject({ temperature: 0.7, topP: 1 });
  });
});

describe('limits and failures', () => {
  it('refuses a session too many, and has room again when one ends', () => {
    const rig = new SessionRig({ limits: { maxSessions: 1 } });
    const { session } = rig.open();
    expect(codeOf(() => rig.open())).toBe('runtime.full');
    session.close('done');
    expect(codeOf(() => rig.open())).toBe('no error');
  });

  it('refuses an id that is in use', () => {
    const rig = new SessionRig();
    rig.open({}, 'x');
    expect(codeOf(() => rig.open({}, 'x'))).toBe('session.duplicate');
  });

  it('ends only the session whose engine work fails, with an error it can read', async () => {
    let broken = true;
    const fails = (component: string) => broken && component === 'audioEncoder';
    const rig = new SessionRig({ replies: REPLIES, fails });
    const victim = rig.open();
    await victim.say(600);
    await victim.silence(3000);
    expect(victim.last('error')).toMatchObject({ code: 'engine.failed', fatal: true });
    expect(victim.last('ended')).toMatchObject({ reason: 'failed' });
    broken = false;
    const other = rig.open();
    await other.say(600);
    await other.silence(4000);
    expect(other.last('response.done')).toMatchObject({ status: { kind: 'completed' } });
    expect(rig.runtime.sessions.size).toBe(1);
  });

  it('says that it has ended and then does nothing', () => {
    const { session, ...caller } = new SessionRig().open();
    session.close('test');
    session.close('again');
    pushAudio(session, packet(true, 20));
    expect(codeOf(() => addItem(session, { role: 'user', content: [] }))).toBe('session.ended');
    expect(caller.events.map(({ type }) => type)).toEqual(['ended']);
  });

  it('gives back every stream of the engine when sessions end', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open();
    await caller.say(800);
    await caller.silence(1000);
    await rig.runtime.close();
    await rig.clock.runFor(100);
    expect(rig.caches.size).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });
});
