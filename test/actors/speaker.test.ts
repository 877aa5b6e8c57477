import fc from 'fast-check';
import { EMPTY } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import type { Speaker } from '../../actors/index.ts';
import { HeardLedger, PlayOut, type PlayOutOutput } from '../../actors/play-out/index.ts';
import { recordedEvents } from '../../actors/recording/index.ts';
import { RecordingRig } from '../support/recording-rig.ts';
import { Caller, packet, SessionRig } from '../support/session-rig.ts';
import { SpeakerDevice } from '../support/speaker-device.ts';
import { pushAudio } from '../support/told.ts';

const REPLIES = [[{ text: 'One two three four five.', frames: 40 }], [{ text: 'Yes.', frames: 10 }]];
const ms = (milliseconds: number) => milliseconds * 24;
const tone = (milliseconds: number) => new Float32Array(ms(milliseconds)).fill(0.5);

function stage(options: ConstructorParameters<typeof SpeakerDevice>[1] = {}) {
  const clock = new VirtualClock();
  const speaker = new SpeakerDevice(clock, options);
  const ledger = new HeardLedger(clock, 24_000, speaker.latencyMs);
  speaker.played$.subscribe(({ itemId, samples, atMs }) => ledger.report(itemId, samples, atMs));
  const outputs: PlayOutOutput[] = [];
  const emit = (output: PlayOutOutput) => outputs.push(output);
  const playOut = new PlayOut({ clock, ledger, speaker, sampleRate: 24_000, reportGraceMs: 2000, emit });
  playOut.openGate();
  return { clock, speaker, ledger, outputs, playOut };
}

describe('a speaker that a transport brings', () => {
  it('is given everything as it is produced, and the end of each item', () => {
    const { outputs, playOut, speaker } = stage();
    playOut.add('a', tone(100));
    playOut.finish('a');
    expect(speaker.levels).toEqual([0.5]);
    expect(speaker.calls).toEqual(['end a']);
    expect(outputs.map(({ type }) => type)).toEqual(['audio', 'sent']);
  });

  it('is given 20 ms frames by our clock where it says how far ahead', () => {
    const { clock, outputs, playOut } = stage({ leadMs: 40 });
    playOut.add('a', tone(200));
    const left = () => outputs.filter(({ type }) => type === 'audio').length;
    expect(left()).toBe(2);
    clock.runForSync(60);
    expect(left()).toBe(5);
  });

  it('lowers the level itself where it can; else play-out does what it paces', () => {
    const own = stage({ leadMs: 20 });
    own.playOut.setGainDb(-18);
    own.playOut.add('a', tone(20));
    expect([own.speaker.calls, own.speaker.levels]).toEqual([['duck -18'], [0.5]]);
    const levels: number[] = [];
    const plain: Speaker = {
      ...{ latencyMs: 0, leadMs: 20, end() {}, flush() {}, played$: EMPTY },
      write: (_, samples) => void levels.push(samples.at(-1)!),
    };
    const { playOut } = stage();
    playOut.setSpeaker(plain);
    playOut.setGainDb(-20);
    playOut.add('a', tone(20));
    expect(levels[0]).toBeCloseTo(0.05);
  });

  it('adds its latency to when a sample is heard', () => {
    const { clock, ledger, outputs, playOut } = stage({ latencyMs: 150 });
    playOut.add('a', tone(100));
    expect(outputs[0]).toMatchObject({ type: 'audio', playsAtMs: 150 });
    clock.runForSync(150);
    expect(ledger.heardSamples('a')).toBe(0);
    clock.runForSync(30);
    expect(ledger.heardSamples('a')).toBe(ms(30));
  });

  it('counts as played what it has played, through any pauses, flushes and gaps', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ does: fc.constant('pass'), by: fc.integer({ min: 1, max: 90 }) }) },
      { weight: 3, arbitrary: fc.record({ does: fc.constant('add'), by: fc.integer({ min: 1, max: 200 }) }) },
      {
        weight: 2,
        arbitrary: fc.record({ does: fc.constantFrom('hold', 'go', 'clear'), by: fc.constant(0) }),
      },
    );
    const options = fc.record({
      latencyMs: fc.constantFrom(0, 60),
      leadMs: fc.constantFrom(undefined, 20, 100),
      everyMs: fc.constantFrom(undefined, 7),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), options, (steps, how) => {
        const { clock, ledger, playOut, speaker } = stage(how);
        let item = 0;
        for (const { does, by } of steps) {
          if (does === 'pass') clock.runForSync(by);
          else if (does === 'add') playOut.add(`${item}`, tone(by));
          else if (does === 'hold') playOut.hold(true);
          else if (does === 'go') playOut.hold(false);
          else {
            ledger.freeze(`${item++}`);
            playOut.clear();
            playOut.openGate();
          }
          for (let i = 0; i <= item; i++) {
            const played = speaker.playedOf.get(`${i}`) ?? 0;
            const counted = ledger.heardSamples(`${i}`);
            // The device moves in steps of a millisecond; its line holds sound that a pause or a flush does not stop.
            expect(Math.abs(counted - played)).toBeLessThanOrEqual(ms(how.latencyMs + 2));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a session whose transport brings a speaker', () => {
  const rigged = (options: ConstructorParameters<typeof SpeakerDevice>[1] = {}) => {
    const rig = new SessionRig({ replies: REPLIES, words: true });
    const speaker = new SpeakerDevice(rig.clock, options);
    return { rig, speaker, caller: new Caller(rig, rig.runtime.openSession({}, { speaker })) };
  };

  it('holds its breath while it is decided who has the turn, and goes on where it was', async () => {
    const { caller, rig, speaker } = rigged({ everyMs: 20 });
    await caller.say(600);
    await caller.silence(1400);
    rig.word = 'mhm';
    await caller.say(240, 6);
    await caller.silence(4000);
    const [end, ...calls] = speaker.calls;
    expect(end).toMatch(/^end/);
    expect(calls).toEqual(['duck -18', 'pause', 'duck 0', 'resume']);
    const trace = caller.last('turn.trace')!.trace;
    expect(trace.interrupted).toBe(false);
    expect(trace.heardMs).toBe(40 * 60);
  });

  it('cuts an interrupted reply at what was played', async () => {
    const { caller, rig, speaker } = rigged({ everyMs: 20, latencyMs: 40 });
    await caller.say(600);
    await caller.silence(1400);
    rig.word = 'stop';
    await caller.say(600, 6);
    await caller.silence(2000);
    expect(speaker.calls).toContain('flush');
    const cut = caller.all('item.truncated')[0];
    const played = speaker.playedOf.get(cut.itemId)!;
    expect(Math.abs(cut.audioEndMs - played / 24)).toBeLessThanOrEqual(42);
  });

  it('is refused with a speaker that makes no sense, and nothing is kept of it', () => {
    const rig = new SessionRig({ replies: REPLIES });
    const speaker = new SpeakerDevice(rig.clock, { leadMs: 5 });
    expect(() => rig.runtime.openSession({}, { speaker })).toThrow(
      expect.objectContaining({ code: 'settings.invalid' }),
    );
    expect(rig.runtime.sessions.size).toBe(0);
  });

  it('is recorded, and comes out to the bit without the transport', async () => {
    const rig = new RecordingRig({ replies: REPLIES });
    const speaker = new SpeakerDevice(rig.clock.virtual, { everyMs: 20, latencyMs: 30 });
    const session = rig.runtime.openSession({}, { id: 'caller', speaker });
    for (let at = 0; at < 4000; at += 20) {
      await rig.clock.virtual.runFor(20);
      pushAudio(session, packet(at < 600 || (at > 2000 && at < 2600), 20));
    }
    session.close('hung up');
    await rig.clock.virtual.runFor(200);
    expect(speaker.playedOf.size).toBeGreaterThan(0);
    const { divergence, events } = await rig.replay();
    expect(divergence).toBeNull();
    expect(events).toEqual([...recordedEvents(rig.recording())]);
  });
});
