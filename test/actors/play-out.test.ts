import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { builtInSpeaker, HeardLedger, PlayOut, Transcript } from '../../actors/play-out/index.ts';
import type { Delivery } from '../../actors/session-api.ts';

const RATE = 24_000;
const ms = (milliseconds: number) => (milliseconds * RATE) / 1000;

function stage(delivery: Delivery) {
  const clock = new VirtualClock();
  const left: { itemId: string; atMs: number; samples: Float32Array; playsAtMs: number }[] = [];
  const log: string[] = [];
  const ledger = new HeardLedger(clock, RATE);
  const playOut = new PlayOut({
    clock,
    speaker: builtInSpeaker(delivery),
    sampleRate: RATE,
    reportGraceMs: 2000,
    ledger,
    emit: output => {
      if (output.type === 'audio') left.push({ ...output, atMs: clock.nowMs() });
      else log.push(`${output.type} ${output.itemId} ${clock.nowMs()}`);
    },
  });
  return { clock, ledger, left, log, playOut };
}
/** Samples that count up, so that a lost or doubled one shows. */
const ramp = (from: number, count: number) =>
  Float32Array.from({ length: count }, (_, i) => (from + i) / 1e6);

describe('the heard-ledger', () => {
  it('counts what is heard from the first sample on, never more than was sent', () => {
    const clock = new VirtualClock();
    const ledger = new HeardLedger(clock, RATE);
    expect(ledger.sent('a', ms(1000))).toBe(0);
    clock.runForSync(400);
    expect(ledger.heardSamples('a')).toBe(ms(400));
    clock.runForSync(5000);
    expect(ledger.heardSamples('a')).toBe(ms(1000));
  });

  it('knows that the far queue ran dry between two packets', () => {
    const clock = new VirtualClock();
    const ledger = new HeardLedger(clock, RATE);
    ledger.sent('a', ms(100));
    clock.runForSync(500);
    ledger.sent('a', ms(100));
    clock.runForSync(50);
    expect(ledger.heardSamples('a')).toBe(ms(150));
  });

  it('plays one item after the other', () => {
    const clock = new VirtualClock();
    const ledger = new HeardLedger(clock, RATE);
    ledger.sent('a', ms(300));
    ledger.sent('b', ms(300));
    clock.runForSync(400);
    expect([ledger.heardSamples('a'), ledger.heardSamples('b')]).toEqual([ms(300), ms(100)]);
  });

  it('believes reports, lower or higher than its model, up to what was sent, and never goes back', () => {
    const clock = new VirtualClock();
    const ledger = new HeardLedger(clock, RATE);
    ledger.sent('a', ms(1000));
    clock.runForSync(500);
    ledger.report('a', ms(300));
    expect(ledger.heardSamples('a')).toBe(ms(300));
    clock.runForSync(100);
    expect(ledger.heardSamples('a')).toBe(ms(400));
    ledger.report('a', ms(200));
    expect(ledger.heardSamples('a')).toBe(ms(400));
    ledger.report('a', ms(780));
    expect(ledger.heardSamples('a')).toBe(ms(780));
    clock.runForSync(20);
    expect(ledger.heardSamples('a')).toBe(ms(800));
    ledger.report('a', ms(99_000));
    expect(ledger.heardSamples('a')).toBe(ms(1000));
  });

  it('frees the far queue of what the far end plays no more: what follows moves up', () => {
    const clock = new VirtualClock();
    const ledger = new HeardLedger(clock, RATE);
    ledger.sent('a', ms(11_000));
    clock.runForSync(400);
    expect(ledger.sent('b', ms(1000))).toBe(11_000);
    expect(ledger.stoppedAt('a', ms(390))).toBe(ms(390));
    expect(ledger.firstPlaysAtMs('b')).toBe(400);
    expect(ledger.aheadMs()).toBe(1000);
    expect(ledger.sent('c', ms(100))).toBe(1400);
    clock.runForSync(1050);
    expect(['a', 'b', 'c'].map(id => ledger.heardSamples(id))).toEqual([ms(390), ms(1000), ms(50)]);
  });

  it('counts the far end’s own word beyond the clock, once; later words only take away', () => {
    const clock = new VirtualClock();
    const ledger = new HeardLedger(clock, RATE);
    ledger.sent('a', ms(1000));
    clock.runForSync(23);
    expect(ledger.freeze('a')).toBe(ms(23));
    expect(ledger.stoppedAt('a', ms(780))).toBe(ms(780));
    expect(ledger.stoppedAt('a', ms(900))).toBe(ms(780));
    expect(ledger.stoppedAt('a', ms(300))).toBe(ms(300));
    ledger.report('a', ms(100));
    expect(ledger.heardSamples('a')).toBe(ms(300));
  });

  it('lets late reports lower a frozen account but not raise it', () => {
    const clock = new VirtualClock();
    const ledger = new HeardLedger(clock, RATE);
    ledger.sent('a', ms(1000));
    clock.runForSync(500);
    expect(ledger.freeze('a')).toBe(ms(500));
    ledger.report('a', ms(450));
    expect(ledger.heardSamples('a')).toBe(ms(450));
    ledger.report('a', ms(800));
    clock.runForSync(500);
    expect(ledger.heardSamples('a')).toBe(ms(450));
  });

  it('never claims more than was sent, nor runs backwards, whatever is sent and reported', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('send' as const), value: fc.nat(400) }),
      fc.record({ kind: fc.constant('wait' as const), value: fc.nat(500) }),
      fc.record({ kind: fc.constant('report' as const), value: fc.nat(3000) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), actions => {
        const clock = new VirtualClock();
        const ledger = new HeardLedger(clock, RATE);
        let sent = 0;
        let reported = 0;
        for (const { kind, value } of actions) {
          const before = ledger.heardSamples('a');
          if (kind === 'wait') clock.runForSync(value);
          else if (kind === 'send') ledger.sent('a', ms(value));
          else ledger.report('a', ms(value));
          if (kind === 'send') sent += ms(value);
          if (kind === 'report') reported += 1;
          const heard = ledger.heardSamples('a');
          expect(heard).toBeLessThanOrEqual(sent);
          if (reported === 0) expect(heard).toBeGreaterThanOrEqual(before);
        }
      }),
    );
  });
});

describe('play-out', () => {
  it('holds everything until the gate opens, then lets it go at once', () => {
    const { clock, left, log, playOut } = stage({ mode: 'burst' });
    playOut.add('a', ramp(0, 1440));
    playOut.add('a', ramp(1440, 1440));
    playOut.finish('a');
    clock.runForSync(450);
    expect(left).toEqual([]);
    playOut.openGate();
    expect(left.map(({ atMs, playsAtMs }) => [atMs, playsAtMs])).toEqual([
      [450, 450],
      [450, 510],
    ]);
    clock.runForSync(200);
    expect(log).toEqual(['sent a 450', 'heard a 570']);
  });

  it('paces 20 ms frames by the clock, at most the lead ahead, without losing a sample', () => {
    const { clock, left, log, playOut } = stage({ mode: 'paced', leadMs: 60 });
    playOut.openGate();
    const speech = ramp(0, ms(500));
    playOut.add('a', speech);
    playOut.finish('a');
    expect(left).toHaveLength(3);
    clock.runForSync(1000);
    expect(left.every(({ samples }) => samples.length === ms(20))).toBe(true);
    expect(left.slice(2, 6).map(({ atMs }) => atMs)).toEqual([0, 20, 40, 60]);
    for (const { atMs, playsAtMs } of left) expect(playsAtMs + 20 - atMs).toBeLessThanOrEqual(60 + 1e-6);
    expect(left.flatMap(({ samples }) => [...samples])).toEqual([...speech]);
    expect(log.at(-1)).toBe('heard a 500');
  });

  it('ducks without losing a sample and comes back to the full level', () => {
    const { clock, left, playOut } = stage({ mode: 'paced', leadMs: 20 });
    playOut.openGate();
    playOut.add('a', new Float32Array(ms(300)).fill(1));
    playOut.finish('a');
    clock.runForSync(90);
    playOut.setGainDb(-20);
    clock.runForSync(100);
    playOut.setGainDb(0);
    clock.runForSync(200);
    const level = (frame: number) => left[frame].samples[ms(20) - 1];
    expect(left).toHaveLength(15);
    expect([level(4), level(6), level(14)].map(value => Math.round(value * 100) / 100)).toEqual([1, 0.1, 1]);
  });

  it('throws away what was not heard, and what is sent next plays at once', () => {
    const { clock, ledger, left, playOut } = stage({ mode: 'burst' });
    playOut.openGate();
    playOut.add('a', new Float32Array(ms(1000)));
    clock.runForSync(320);
    expect(ledger.freeze('a')).toBe(ms(320));
    playOut.clear();
    playOut.add('b', new Float32Array(ms(60)));
    expect(left).toHaveLength(1);
    playOut.openGate();
    expect(left[1]).toMatchObject({ itemId: 'b', playsAtMs: 320 });
    expect(ledger.heardSamples('a')).toBe(ms(320));
  });

  it('ends an item whose rest was dropped when what was sent has been heard', () => {
    const { clock, log, playOut } = stage({ mode: 'paced', leadMs: 40 });
    playOut.openGate();
    playOut.add('a', new Float32Array(ms(1000)));
    clock.runForSync(100);
    playOut.dropUnsent('a');
    clock.runForSync(500);
    expect(log).toEqual(['sent a 100', 'heard a 140']);
  });

  it('waits for the reports of a transport that gives them, but not for ever', () => {
    const { clock, ledger, log, playOut } = stage({ mode: 'burst' });
    playOut.openGate();
    playOut.add('a', new Float32Array(ms(100)));
    playOut.finish('a');
    clock.runForSync(50);
    ledger.report('a', ms(20));
    playOut.reported('a');
    clock.runForSync(60);
    expect(log).toEqual(['sent a 0']);
    ledger.report('a', ms(100));
    playOut.reported('a');
    expect(log.at(-1)).toBe('heard a 110');
  });
});

describe('what was heard, in text', () => {
  /** Segments of one character a token, as spec 1.7 lays them out: n frames, n + 1 steps, text in the first ones. */
  function transcript(segments: readonly { text: string; frames: number }[], unfinished = false): Transcript {
    const result = new Transcript(60);
    segments.forEach(({ text, frames }, index) => {
      const last = index === segments.length - 1;
      const stop = last && unfinished ? frames : frames + 1;
      for (let step = 0; step < stop; step++) {
        const ends = step === frames;
        const state = ends
          ? last
            ? 'end'
            : 'text-and-audio'
          : step < text.length
            ? 'text-and-audio'
            : 'audio-only';
        result.step(text[step] ?? '', ends ? 2 : 40, state);
      }
    });
    return result;
  }
  const reply = () =>
    transcript([
      { text: 'One, ', frames: 10 },
      { text: 'two three.', frames: 20 },
    ]);

  it('keeps the steps of whole segments that were heard to the end', () => {
    expect(reply().cut(599, 'punctuation')).toEqual({ steps: 0, text: '' });
    expect(reply().cut(600, 'punctuation')).toEqual({ steps: 11, text: 'One,' });
    expect(reply().cut(1799, 'punctuation')).toEqual({ steps: 11, text: 'One,' });
    expect(reply().cut(1800, 'punctuation')).toEqual({ steps: 32, text: 'One, two three.' });
  });

  it('cuts at words where configured: a word is heard when its share of the segment has been', () => {
    // "two" is 3 of 9 characters of 20 frames: 600 + 400 ms.
    expect(reply().cut(999, 'word').text).toBe('One,');
    expect(reply().cut(1000, 'word').text).toBe('One, two');
    expect(reply().cut(1500, 'word').text).toBe('One, two');
  });

  it('cuts between the characters of a word only where configured', () => {
    expect(reply().cut(1500, 'sample').text).toBe('One, two thr');
  });

  it('times an unfinished segment slowly, so that no word is claimed too early', () => {
    const open = transcript([{ text: 'two three', frames: 12 }], true);
    expect(open.cut(12 * 60, 'word').text).toBe('two');
    expect(open.cut(200, 'word').text).toBe('');
  });

  it('never keeps a step whose frame was not heard, and keeps more when more was heard', () => {
    const segments = fc.array(fc.record({ text: fc.stringMatching(/^[a-c ,.]{1,8}$/), extra: fc.nat(10) }), {
      minLength: 1,
      maxLength: 5,
    });
    const place = fc.constantFrom('punctuation' as const, 'word' as const, 'sample' as const);
    fc.assert(
      fc.property(segments, place, fc.nat(4000), fc.nat(4000), (given, at, a, b) => {
        const script = given.map(({ text, extra }) => ({ text, frames: text.length + 1 + extra }));
        const heard = transcript(script);
        const [less, more] = [heard.cut(Math.min(a, b), at), heard.cut(Math.max(a, b), at)];
        expect(less.steps).toBeLessThanOrEqual(more.steps);
        const framesOf = (steps: number) => {
          let frames = 0;
          let left = steps;
          for (const segment of script) {
            frames += Math.min(left, segment.frames);
            left = Math.max(0, left - segment.frames - 1);
          }
          return frames;
        };
        expect(framesOf(less.steps) * 60).toBeLessThanOrEqual(Math.min(a, b));
        expect(heard.text.startsWith(less.text)).toBe(true);
      }),
    );
  });
});
