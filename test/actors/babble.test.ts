import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Babble, BabbleGuard } from '../../actors/session/babble.ts';
import { DEFAULT_SETTINGS } from '../../actors/turn-taking/index.ts';
import { SessionRig } from '../support/session-rig.ts';

const LIMITS = DEFAULT_SETTINGS.babble!;
const FRAME_MS = 60;

/**
 * Segments as the model records them: a word a step while there are words, their sound for as long as it takes, then
 * the end.
 */
function firstWrong(segments: readonly { text: string; codes: readonly number[] }[]): Babble | null {
  const guard = new BabbleGuard(LIMITS, FRAME_MS);
  for (const { text, codes } of segments) {
    const words = text.match(/\S+\s*/g) ?? [];
    for (let step = 0; step < Math.max(words.length, codes.length); step++) {
      const wrong = guard.step(words[step] ?? '', codes[step] ?? null, false);
      if (wrong) return wrong;
    }
    const wrong = guard.step(' ', null, true);
    if (wrong) return wrong;
  }
  return null;
}

const written = (text: string) => firstWrong([{ text, codes: [] }]);

/** Speech at 70 ms a character: codes change every frame or two, no two stretches alike. */
function spoken(random: () => number, text: string) {
  const frames = Math.ceil((text.length * 70) / FRAME_MS);
  return { text, codes: Array.from({ length: frames }, () => 4 + Math.floor(random() * 256)) };
}

describe('babble', () => {
  it('is the same sentence over and over; the first time was good', () => {
    const wrong = written('A red square. '.repeat(20));
    expect(wrong).toEqual({ kind: 'words-repeat', goodSteps: 3 });
    expect(written(`I see two things. ${'A red square. '.repeat(20)}`)).toEqual({
      kind: 'words-repeat',
      goodSteps: 7,
    });
  });

  it('is a word over and over, but not four times', () => {
    expect(written('no, no, no, no, I said no.')).toBeNull();
    expect(written('nineteen '.repeat(12))?.kind).toBe('words-repeat');
    expect(written('一个红色的方块。'.repeat(6))?.kind).toBe('words-repeat');
  });

  it('is the same sound over and over, held or in a loop, and not the pauses of speech', () => {
    const codes = [7, 9, 11, 30, 31];
    const loop = Array.from({ length: 200 }, (_, i) => codes[i % codes.length]);
    expect(firstWrong([{ text: 'Six, seven, eight, nine, ten, eleven.', codes: loop }])).toEqual({
      kind: 'sounds-repeat',
      goodSteps: 5,
    });
    const pause = Array.from({ length: 30 }, () => 5);
    expect(
      firstWrong([{ text: 'Well. I am listening to you.', codes: [8, ...pause, 9, ...pause, 12] }]),
    ).toBeNull();
  });

  it('is words without end', () => {
    const words = Array.from({ length: 300 }, (_, i) => `word${i}`);
    expect(written(words.join(' '))).toEqual({ kind: 'no-punctuation', goodSteps: 0 });
    expect(written(`Good. ${words.join(' ')}`)).toEqual({ kind: 'no-punctuation', goodSteps: 1 });
    expect(written(words.map((word, i) => (i % 20 === 19 ? `${word}.` : word)).join(' '))).toBeNull();
  });

  it('is sound without end under a text that is over', () => {
    const random = fc.sample(fc.integer({ min: 4, max: 259 }), 500);
    const wrong = firstWrong([{ text: 'Seven.', codes: random }]);
    expect(wrong?.kind).toBe('sound-without-text');
  });

  it('is none of ten thousand replies that people wrote, spoken', () => {
    const seed = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { numRuns: 1, seed: 5 })[0];
    let state = Math.floor(seed * 2 ** 31) || 1;
    const random = () => {
      state = (Math.imul(state, 48271) >>> 0) % 2147483647;
      return state / 2147483647;
    };
    const sentences = [
      'docs/spec/style-examples.md',
      'docs/spec/model.md',
      'docs/spec/sip.md',
      'README.md',
      'ARCHITECTURE.md',
    ]
      .flatMap(file => readFileSync(file, 'utf8').split(/\n\n+|(?<=\.) /))
      .map(text => text.replace(/\s+/g, ' ').trim())
      .filter(text => /^[A-Z][^|`#]{10,300}\.$/.test(text));
    expect(sentences.length).toBeGreaterThan(150);
    let wrong = 0;
    for (let reply = 0; reply < 10_000; reply++) {
      const count = 1 + Math.floor(random() * 4);
      const said = Array.from({ length: count }, () => sentences[Math.floor(random() * sentences.length)]);
      if (firstWrong(said.map(text => spoken(random, text)))) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it('is no recitation, no list with equal entries, and no answer given twice', () => {
    const tens = ['', 'twenty ', 'thirty '];
    const ones = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
    const count = tens.flatMap(ten => ones.map(one => `${ten}${one}, `)).join('');
    expect(written(`${count}.`)).toBeNull();
    expect(written('A red square, a red square, a blue circle.')).toBeNull();
    expect(written('Seven. Seven. Seven.')).toBeNull();
  });
});

describe('a reply that babbles', () => {
  const LOOP = Array.from({ length: 20 }, () => ({ text: 'A red square.', frames: 14 }));
  const replies = [[{ text: 'I see this.', frames: 12 }, ...LOOP], [{ text: 'Seven, eight.', frames: 12 }]];

  for (const delivery of [{ mode: 'burst' }, { mode: 'paced', leadMs: 100 }] as const) {
    it(`ends at its last good punctuation, and the next question is answered (${delivery.mode})`, async () => {
      const rig = new SessionRig({ replies });
      const caller = rig.open({ delivery });
      await caller.say(600);
      await caller.silence(30_000);
      const [done] = caller.all('response.done');
      expect(done.status).toEqual({ kind: 'incomplete', reason: 'babble' });
      const item = caller.session.items.at(-1)!;
      expect(item.status).toBe('incomplete');
      expect(item.content[0]).toMatchObject({ transcript: 'I see this. A red square.' });
      const [content] = item.content;
      const heardMs = content.type === 'audio' ? content.samples.length / 24 : 0;
      expect(heardMs).toBeLessThanOrEqual(27 * FRAME_MS);
      expect(rig.contextText()).toContain('I see this.</pause>A red square.</longcat_s>');
      expect(rig.contextText().match(/A red square/g)).toHaveLength(1);
      await caller.say(600);
      await caller.silence(10_000);
      expect(caller.all('response.done').at(-1)!.status).toEqual({ kind: 'completed' });
    });
  }

  it('goes on where the setting is off', async () => {
    const rig = new SessionRig({ replies });
    const caller = rig.open({ babble: null });
    await caller.say(600);
    await caller.silence(60_000);
    expect(caller.all('response.done')[0].status).toEqual({ kind: 'completed' });
  });
});
