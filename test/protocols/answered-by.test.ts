/** Who answers a call of ours, and whether a fax calls. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../actors/core/index.ts';
import { decodeWav } from '../../cli/media/wav-format.ts';
import { CODECS } from '../../protocols/media/index.ts';
import { BeepDetector } from '../../protocols/telephone/answered-by/beep.ts';
import { FaxToneDetector } from '../../protocols/telephone/answered-by/fax-tone.ts';
import { GREETING, GreetingJudge } from '../../protocols/telephone/answered-by/greeting.ts';
import {
  type AnsweredBy,
  AnswerScreen,
  FaxCaller,
  type OnMachine,
} from '../../protocols/telephone/answered-by/index.ts';
import type { HeardPiece } from '../../protocols/telephone/answered-by/screen.ts';

const RATE = 16_000;
const LOOK = 320;
const samples = (ms: number) => Math.round((ms * RATE) / 1000);
const silence = (ms: number) => new Float32Array(samples(ms));
const tone = (hz: number, ms: number, level = 0.1) =>
  Float32Array.from({ length: samples(ms) }, (_, n) => level * Math.sin((2 * Math.PI * hz * n) / RATE));
function both(one: number, other: number, ms: number): Float32Array {
  const beside = tone(other, ms);
  return tone(one, ms).map((value, n) => value + beside[n]);
}
const speech = (name: string) =>
  decodeWav(readFileSync(new URL(`../fixtures/talk/${name}.wav`, import.meta.url))).channels[0];
function joined(...parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
const looks = (sound: Float32Array) =>
  Array.from({ length: Math.floor(sound.length / LOOK) }, (_, n) => sound.subarray(n * LOOK, (n + 1) * LOOK));
/** Milliseconds until the detector says so, null: never. */
function toldAfter(sound: Float32Array, detector: { push(look: Float32Array): boolean }): number | null {
  const at = looks(sound).findIndex(look => detector.push(look));
  return at < 0 ? null : (at + 1) * 20;
}
const onALine = (sound: Float32Array, level = 0.002) => {
  const random = createRandom(1);
  const noisy = sound.map(value => value + level * (random.next() - 0.5));
  return CODECS['mu-law'].decode(CODECS['mu-law'].encode(noisy));
};

describe('a greeting', () => {
  const judged = (...stretches: readonly (readonly [isSpeech: boolean, ms: number])[]) => {
    const judge = new GreetingJudge();
    let ms = 0;
    for (const [isSpeech, lasts] of stretches)
      for (let at = 0; at < lasts; at += 20) {
        ms += 20;
        const greeter = judge.frame(isSpeech);
        if (greeter !== null) return [greeter, ms];
      }
    return null;
  };

  it('of a word or two, and then silence, is a person’s', () => {
    expect(judged([false, 400], [true, 460], [false, 2000])).toEqual(['human', 1560]);
    expect(judged([true, 300], [false, 300], [true, 700], [false, 2000])).toEqual(['human', 1840]);
  });

  it('that goes on is a machine’s, pauses or not', () => {
    expect(judged([false, 200], [true, 5000])).toEqual(['machine', 2200]);
    expect(judged([true, 900], [false, 400], [true, 3000])).toEqual(['machine', 2000]);
  });

  it('that does not come is nobody’s, and a click is none', () => {
    expect(judged([false, 5000])).toEqual(['nobody', GREETING.nobodyMs]);
    expect(judged([false, 100], [true, 40], [false, 5000])).toEqual(['nobody', GREETING.nobodyMs]);
  });

  it('is decided within three seconds of its beginning, whatever is said', () => {
    const stretches = fc.array(
      fc.tuple(
        fc.boolean(),
        fc.integer({ min: 5, max: 60 }).map(n => n * 20),
      ),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(stretches, said => {
        const [, ms] = judged([true, 120], ...said, [false, 4000])!;
        expect(ms).toBeLessThanOrEqual(3000);
      }),
    );
  });
});

describe('the tones of a fax', () => {
  it('are known within a second: 1100 Hz of a caller, 2100 Hz of whom we call, as far off as they may be', () => {
    for (const hz of [1100 - 38, 1100, 1100 + 38])
      expect(
        toldAfter(
          onALine(joined(silence(200), tone(hz, 500), silence(300))),
          new FaxToneDetector('calling', RATE),
        ),
      ).toBe(600);
    const turned = joined(
      tone(2100, 450),
      tone(2100, 450).map(value => -value),
      tone(2100, 450),
    );
    for (const sound of [tone(2085, 2600), tone(2115, 2600, 0.02), turned])
      expect(toldAfter(onALine(sound), new FaxToneDetector('answering', RATE))).toBeLessThanOrEqual(560);
  });

  it('are no others, and no speech', () => {
    const others = [tone(1100, 300), tone(1000, 600), tone(1209, 600), tone(425, 1000), tone(2000, 1000)];
    const keys = both(1209, 697, 500);
    for (const sound of [...others, keys, speech('where-stopped')])
      for (const side of ['calling', 'answering'] as const)
        expect(toldAfter(onALine(joined(sound, silence(200))), new FaxToneDetector(side, RATE))).toBeNull();
  });

  it('are listened for at the beginning of a call only, in packets of any size', () => {
    const early = new FaxCaller();
    const sound = joined(silence(3000), tone(1100, 500));
    let heardAt = null;
    for (let at = 0; at < sound.length; at += 100)
      if (early.isHeardIn(sound.subarray(at, at + 100))) heardAt ??= at;
    expect(heardAt).toBeGreaterThan(samples(3380));
    const late = new FaxCaller();
    expect(late.isHeardIn(silence(15_000))).toBe(false);
    expect(late.isOver).toBe(true);
  });
});

describe('a beep', () => {
  it('is told when it is over, of any pitch and length', () => {
    for (const hz of [440, 620, 1000, 1400, 2000])
      for (const ms of [160, 500, 1500]) {
        const sound = onALine(joined(silence(300), tone(hz, ms), silence(300)));
        const after = toldAfter(sound, new BeepDetector(RATE))!;
        expect(after).toBeGreaterThanOrEqual(300 + ms);
        expect(after).toBeLessThanOrEqual(300 + ms + 80);
      }
  });

  it('is no speech, no key, no ringing of two tones and no click', () => {
    const two = both(440, 480, 1000);
    const key = both(770, 1336, 400);
    for (const sound of [speech('where-stopped'), two, key, tone(1000, 60)])
      expect(toldAfter(onALine(joined(sound, silence(200))), new BeepDetector(RATE))).toBeNull();
  });
});

describe('a call of ours', () => {
  const hello = speech('count-to-ten');
  const greeting = joined(speech('where-stopped'), hello, hello);

  function screened(onMachine: OnMachine, sound: Float32Array) {
    const told: (AnsweredBy | 'recording' | 'hung up')[] = [];
    const after: number[] = [];
    const screen = new AnswerScreen(onMachine, {
      onAnsweredBy: (by, afterMs) => {
        told.push(by);
        after.push(afterMs);
      },
      onRecording: () => told.push('recording'),
      hangUp: () => told.push('hung up'),
    });
    const passed: HeardPiece[] = [];
    const held: number[] = [];
    for (let at = 0; at < sound.length; at += LOOK) {
      const piece = { samples: sound.subarray(at, at + LOOK), lost: false, waitedMs: 5 };
      passed.push(...screen.hear(piece));
      held.push(passed.length);
    }
    return { told, after, passed, isDone: screen.isDone };
  }

  it('that a person answers is heard whole, as soon as that is known', () => {
    const sound = joined(silence(300), hello, silence(2000));
    const { after, isDone, passed, told } = screened('hang_up', sound);
    expect(told).toEqual(['human']);
    expect(after[0]).toBeLessThanOrEqual(3000);
    expect(isDone).toBe(true);
    expect(joined(...passed.map(piece => piece.samples))).toEqual(sound);
    // What was held back waited for as long; what comes later does not.
    expect(passed[0].waitedMs).toBe(5 + after[0]);
    expect(passed.at(-1)!.waitedMs).toBe(5);
  });

  it('that a machine answers is ended, or heard, or waits for the beep and then speaks', () => {
    const sound = joined(silence(200), greeting, silence(300), tone(1000, 400), silence(200));
    expect(screened('hang_up', sound)).toMatchObject({ told: ['machine', 'hung up'], passed: [] });
    const heard = screened('continue', sound);
    expect(heard.told).toEqual(['machine']);
    expect(joined(...heard.passed.map(piece => piece.samples))).toEqual(sound);
    const { passed, told } = screened('leave_message', sound);
    expect(told).toEqual(['machine', 'recording']);
    expect(passed.length * 20).toBeLessThanOrEqual(200);
  });

  it('to a machine without a beep speaks when it is silent, and to one that never ends hangs up', () => {
    expect(screened('leave_message', joined(greeting, silence(3000))).told).toEqual(['machine', 'recording']);
    const endless = joined(...Array.from({ length: 16 }, () => greeting));
    expect(screened('leave_message', endless).told).toEqual(['machine', 'hung up']);
  });

  it('that a fax answers is ended', () => {
    expect(screened('leave_message', joined(silence(500), tone(2100, 3000))).told).toEqual([
      'fax',
      'hung up',
    ]);
  });
});
