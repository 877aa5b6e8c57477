import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Subject } from 'rxjs';
import { afterAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import type { Session, SessionEvent } from '../../actors/session-api.ts';
import { loadConfig } from '../../cli/config/load.ts';
import { holds, plain, table, writeCard } from '../../cli/eval/card.ts';
import { isRight } from '../../cli/eval/conversations.ts';
import { converse, expectedAnswer } from '../../cli/eval/converse.ts';
import { TurnListener } from '../../cli/eval/ear.ts';
import { bigrams } from '../../cli/eval/judge.ts';
import { openMaterial } from '../../cli/eval/material.ts';
import { distance, type Row, recognised, shareRow, wilson, words } from '../../cli/eval/score.ts';
import { melCepstralDistortion, pitchDistanceCents, pitchTrack } from '../../cli/eval/sound.ts';
import { areRight, rowsOf as taskRowsOf } from '../../cli/eval/tasks.ts';
import { openHouse } from '../../cli/house.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';

const directory = mkdtempSync(join(tmpdir(), 'longcat-rt-eval-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the score', () => {
  it('gives the intervals of Newcombe 1998, table I, method 3', () => {
    for (const [right, of, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ]) {
      const interval = wilson({ right, of });
      expect(interval[0]).toBeCloseTo(low, 4);
      expect(interval[1]).toBeCloseTo(high, 4);
    }
    expect(wilson({ right: 0, of: 0 })).toEqual([0, 1]);
  });

  it('counts inserted, dropped and exchanged words', () => {
    const of = (heard: string, truth: string) => distance(words(heard), words(truth));
    expect(of('A red square.', 'a red square')).toBe(0);
    expect(of('a square', 'a red square')).toBe(1);
    expect(of('a big red square', 'a red square')).toBe(1);
    expect(of('the blue square', 'a red square')).toBe(2);
    expect(of('', 'a red square')).toBe(3);
    expect(of('a red square', '')).toBe(3);
    const scored = recognised([
      { heard: 'five', truth: 'Five.' },
      { heard: 'nine', truth: 'It is red.' },
    ]);
    expect(scored).toEqual({ words: { right: 1, of: 4 }, sentences: { right: 1, of: 2 } });
  });
});

describe('the ear for sound', () => {
  const saw = (hz: number) =>
    Float32Array.from({ length: 16_000 }, (_, at) => (((at * hz) / 16_000) % 1) - 0.5);

  it('finds the pitch of a sawtooth within ten cents', () => {
    const track = pitchTrack(saw(123));
    expect(track.length).toBeGreaterThan(40);
    for (const hz of track) expect(1200 * Math.abs(Math.log2(hz! / 123))).toBeLessThan(10);
  });

  it('measures a semitone as a hundred cents', () => {
    expect(pitchDistanceCents(saw(110 * 2 ** (1 / 12)), saw(110))).toBeCloseTo(100, -1);
  });

  it('does not hear level as distortion, but hears a filter', () => {
    const truth = saw(110);
    const quiet = truth.map(value => value / 4);
    const dull = truth.map((value, at) => (value + (truth[at - 1] ?? 0)) / 2);
    expect(melCepstralDistortion(referenceOps, truth, truth)).toBe(0);
    expect(melCepstralDistortion(referenceOps, quiet, truth)).toBeLessThan(0.05);
    expect(melCepstralDistortion(referenceOps, dull, truth)).toBeGreaterThan(0.5);
  });
});

describe('the judge', () => {
  it('models sentences with probabilities that add up to one', () => {
    const [, ones, twos] = bigrams(['I see a circle.', 'I see a square.', 'Five.']).split(/\\\d-grams:\n/);
    const unigrams = new Map(
      ones
        .trim()
        .split('\n')
        .map(line => [line.split(' ')[1], line.split(' ').map(Number)]),
    );
    expect([...unigrams.values()].reduce((sum, [p]) => sum + 10 ** p, 0)).toBeCloseTo(1, 3);
    const after = twos.split('\n').filter(line => line.split(' ')[1] === 'a');
    const seen = after.reduce((sum, line) => sum + 10 ** Number(line.split(' ')[0]), 0);
    expect(seen + 10 ** unigrams.get('a')![2]).toBeCloseTo(1, 3);
  });
});

describe('an evaluated conversation', () => {
  const turn = (answer: string[]) => ({ text: 'x', audio: 'x.wav', answer, pictures: [] });
  const stopped = { suite: 'stopped', kind: 'stopped', turns: [turn(['At nine.'])] };

  it('expects the last item that was really heard', () => {
    expect(expectedAnswer(stopped, stopped.turns[0], 'One, two, three,')).toBe('At three.');
    expect(expectedAnswer(stopped, stopped.turns[0], 'Six.')).toBe('At six.');
    expect(expectedAnswer(stopped, stopped.turns[0], 'A, B, C,')).toBe('At C.');
    expect(expectedAnswer(stopped, stopped.turns[0], 'Monday, Tuesday')).toBe('At Tuesday.');
    expect(expectedAnswer(stopped, stopped.turns[0], null)).toBe('At nine.');
    expect(expectedAnswer({ ...stopped, suite: 'facts' }, stopped.turns[0], 'One,')).toBe('At nine.');
  });

  it('does not take the rest of an interrupted reply for the next one', () => {
    const events$ = new Subject<SessionEvent>();
    const ear = new TurnListener({ events$ } as Partial<Session> as Session, new VirtualClock());
    const created = (responseId: string) =>
      events$.next({ type: 'response.created', responseId, itemId: responseId });
    const says = (responseId: string, delta: string, samples: number[]) => {
      events$.next({ type: 'response.text', responseId, itemId: responseId, delta });
      events$.next({
        type: 'response.audio',
        responseId,
        itemId: responseId,
        samples: Float32Array.from(samples),
      });
    };
    created('one');
    says('one', 'One, two,', [0.5]);
    expect(ear.take().text).toBe('One, two,');
    says('one', ' three', [0.25]);
    created('two');
    says('two', 'At two.', [0.125]);
    says('one', '', [0.25]);
    const { text, samples } = ear.take();
    expect([text, [...samples]]).toEqual(['At two.', [0.125]]);
  });

  it('refuses material of another version', () => {
    const folder = join(directory, 'old');
    mkdirSync(folder);
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ version: 1, cases: [] }));
    expect(() => openMaterial(folder)).toThrow(/not of this version/);
  });

  it('goes through the runtime, WAV in, WAV out', async () => {
    mkdirSync(join(directory, 'material'));
    copyFileSync('test/fixtures/talk/two-turns.wav', join(directory, 'material', 'x.wav'));
    const cases = [{ suite: 'facts', kind: 'talk', turns: [turn(['Hello.'])] }];
    const manifest = { version: 4, sentences: ['Hello.'], otherSentences: [], cases };
    writeFileSync(join(directory, 'material', 'manifest.json'), JSON.stringify(manifest));
    const material = openMaterial(join(directory, 'material'));
    const house = await openHouse(loadConfig({ logLevel: 'error' }, {}), 'virtual');
    try {
      const [judged] = await converse(house, material.directory, material.conversations[0]);
      expect(judged.expected).toBe('Hello.');
      expect(judged.said.text.length).toBeGreaterThan(0);
      expect(judged.said.samples.length).toBeGreaterThan(0);
      expect(isRight(judged)).toBe(words(judged.said.text).join(' ') === 'hello');
      expect(isRight({ ...judged, said: { ...judged.said, text: 'HELLO' } })).toBe(true);
      const call = { name: 'set_timer', arguments: { minutes: 5 } };
      const called = (suite: string, wanted: typeof call | null, ...argumentsJson: string[]) => {
        const calls = argumentsJson.map(given => ({ name: 'set_timer', argumentsJson: given }));
        return isRight({
          ...judged,
          case: { ...judged.case, suite, call: wanted },
          said: { ...judged.said, calls },
        });
      };
      expect(called('tool-calls', call, '{"minutes":5}')).toBe(true);
      expect(called('tool-calls', call, '{"minutes":6}')).toBe(false);
      expect(called('tool-calls', call, '{"minutes":5}', '{"minutes":5}')).toBe(false);
      expect(called('tool-calls', call)).toBe(false);
      expect(called('no-calls', null)).toBe(true);
      expect(called('no-calls', null, '{"minutes":5}')).toBe(false);
    } finally {
      await house.close();
    }
  });
});

describe('spoken tasks', () => {
  it('are counted as passed, those that correct themselves by themselves, and latencies of what there was', () => {
    const none = { firstSoundMs: null, callMs: null, answerMs: null };
    const right = {
      corrected: false,
      passed: true,
      answered: true,
      firstSoundMs: 500,
      callMs: 300,
      answerMs: 700,
    };
    const wrong = { ...right, corrected: true, passed: false, answered: false };
    const rows = taskRowsOf([right, { ...right, answerMs: 900 }, wrong, { ...wrong, ...none }]);
    expect(rows.map(({ n, value }) => [n, value])).toEqual([
      ...[
        [4, 0.5],
        [2, 0],
        [4, 0.75],
        [2, 1],
      ],
      ...[
        [3, 500],
        [2, 300],
        [2, 800],
      ],
    ]);
    expect(areRight([{ name: 'a', argumentsJson: '{"x":1}' }], { name: 'a', arguments: { x: 1 } })).toBe(
      true,
    );
    expect(areRight([], { name: 'a', arguments: {} })).toBe(false);
  });
});

describe('the model card', () => {
  const row: Row = shareRow('facts', 'facts', { right: 97, of: 100 }, 0.97);
  const decibel: Row = { ...row, what: 'distortion', value: 3, interval: null, unit: 'dB', wanted: 2.6 };

  it('knows what holds', () => {
    expect(holds(row)).toBe(true);
    expect(holds(decibel)).toBe(false);
    expect(holds({ ...row, value: 0.5, wanted: [0.25, 0.45] })).toBe(false);
    expect(table([row], '0123456789abcdef')).toContain(
      '| facts | 100 | 0.97 | 0.915–0.990 | ≥ 0.97 ✓ | `01234567` |',
    );
    expect(plain([decibel])).toContain('3.00 dB');
  });

  it('keeps the rows that were not measured again, and the text around the table', () => {
    const path = join(directory, 'MODEL_CARD.md');
    writeFileSync(path, 'before\n<!-- eval:begin -->\n<!-- eval:end -->\nafter\n');
    writeCard(path, [row, decibel], '0123456789abcdef');
    writeCard(path, [{ ...decibel, value: 2 }], 'fedcba9876543210');
    const card = readFileSync(path, 'utf8');
    expect(card).toMatch(/^before\n[\s\S]*\nafter\n$/);
    expect(card).toContain('| facts | 100 |');
    expect(card).toContain('2.00 dB');
    expect(card).not.toContain('3.00 dB');
    expect(card).toMatch(/\| facts .*`01234567` \|/);
    expect(card).toMatch(/\| distortion .*`fedcba98` \|/);
    writeFileSync(path, 'no place');
    expect(() => writeCard(path, [row], 'x')).toThrow(/no place/);
  });

  it('says nothing of the weights of rows that an older card had, and keeps the order asked for', () => {
    const path = join(directory, 'MODEL_CARD.md');
    const older =
      '| what | n | result | 95 % interval | wanted |\n|---|---|---|---|---|\n| minus | 60 | 1 | | |\n| other | 9 | 1 | | |';
    writeFileSync(path, `<!-- eval:begin -->\nby hand\n\n${older}\n<!-- eval:end -->\n`);
    writeCard(path, [row], '0123456789abcdef', ['facts', 'minus']);
    const rows = readFileSync(path, 'utf8')
      .split('\n')
      .filter(line => line.startsWith('| '));
    expect(rows.slice(1)).toEqual([
      '| facts | 100 | 0.97 | 0.915–0.990 | ≥ 0.97 ✓ | `01234567` |',
      '| minus | 60 | 1 |  |  |  |',
      '| other | 9 | 1 |  |  |  |',
    ]);
    writeCard(path, [row], '0123456789abcdef', ['facts', 'minus']);
    expect(readFileSync(path, 'utf8').match(/\| facts /g)).toHaveLength(1);
  });
});
