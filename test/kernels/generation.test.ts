import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  advanceGeneration,
  completedFrame,
  framesOfSteps,
  type GeneratedStep,
  type GenerationTransition,
  historyPositions,
  startGeneration,
  stepsOfSegment,
} from '../../kernels/components/language-model/index.ts';

const TOKENS = { eos: 2, pause: 137 };
const [EOS, PAUSE, ABSENT, END, PAD] = [2, 137, -1, 2, 3];

const step = (text: number, ...codes: [number, number, number, number]): GeneratedStep => ({ text, codes });

function play(
  candidates: readonly GeneratedStep[],
  mode: 'speech' | 'text' = 'speech',
): GenerationTransition[] {
  let state = startGeneration(mode);
  return candidates.map(candidate => {
    const transition = advanceGeneration(state, candidate, TOKENS);
    state = transition.state;
    return transition;
  });
}

/** The worked trace of docs/spec/model.md §1.9: [candidate, recorded, phase after, step after, final]. */
const TRACE: [GeneratedStep, GeneratedStep, string, number, boolean][] = [
  [step(500, 100, 7, 8, 9), step(500, 100, ABSENT, ABSENT, ABSENT), 'dense', 1, false],
  [step(PAUSE, 101, 40, 50, 60), step(PAUSE, 101, 40, 50, 60), 'speech', 0, false],
  [step(700, 102, 41, 51, 61), step(ABSENT, 102, 41, 51, 61), 'speech', 1, false],
  [step(EOS, END, 42, 52, 62), step(ABSENT, END, 42, 52, 62), 'dense', 0, false],
  [step(501, 110, 7, 8, 9), step(501, 110, ABSENT, ABSENT, ABSENT), 'dense', 1, false],
  [step(EOS, 111, 43, 53, 63), step(EOS, 111, 43, 53, 63), 'speech', 0, true],
  [step(700, END, 44, 54, 64), step(ABSENT, END, 44, 54, 64), 'ended', 0, true],
];

describe('the generation state machine', () => {
  it('follows the worked trace of the specification', () => {
    const transitions = play(TRACE.map(([candidate]) => candidate));
    transitions.forEach(({ record, state, feedback, end }, k) => {
      const [, recorded, phase, steps, final] = TRACE[k];
      expect(record).toEqual(recorded);
      expect(state).toEqual({ phase, step: steps, final });
      expect(end).toBe(phase === 'ended');
      if (end) expect(feedback).toBeNull();
      else
        expect([...(feedback?.textIds ?? []), ...(feedback?.codes ?? [])]).toEqual([
          recorded.text,
          ...recorded.codes,
        ]);
      expect(feedback?.rule ?? 'decode').toBe('decode');
    });
  });

  it('gives the frames of the worked trace to the vocoder, (s0,1) (s1,2) (s2,3) (s0′,5) (s1′,6)', () => {
    const records = play(TRACE.map(([candidate]) => candidate)).map(({ record }) => record);
    const ids = [
      [100, 40, 50, 60],
      [101, 41, 51, 61],
      [102, 42, 52, 62],
      [110, 43, 53, 63],
      [111, 44, 54, 64],
    ];
    expect([...framesOfSteps(records)]).toEqual(ids.flat().map(id => id - 32));
  });

  it('does not look at the semantic end while text is being spoken', () => {
    const [first, second] = play([step(500, END, 7, 8, 9), step(501, END, 40, 50, 60)]);
    expect([first.state.phase, second.state.phase]).toEqual(['dense', 'dense']);
  });

  it('keeps the acoustics of a segment whose first text token closes it, and no frame uses them', () => {
    const transitions = play([
      step(PAUSE, 100, 40, 50, 60),
      step(9, END, 41, 51, 61),
      step(EOS, 110, 42, 52, 62),
      step(9, END, 43, 53, 63),
    ]);
    expect(transitions[2].record.codes).toEqual([110, 42, 52, 62]);
    expect(transitions[3].end).toBe(true);
    const frames = framesOfSteps(transitions.map(({ record }) => record));
    expect([...frames]).toEqual([100, 41, 51, 61, 110, 43, 53, 63].map(id => id - 32));
  });

  it('ends a text reply at its end of sequence and records no codes', () => {
    const transitions = play(
      [step(500, 100, 7, 8, 9), step(PAUSE, 2, 2, 2, 2), step(EOS, 2, 2, 2, 2)],
      'text',
    );
    expect(transitions.map(({ end }) => end)).toEqual([false, false, true]);
    expect(transitions.map(({ record }) => record.text)).toEqual([500, PAUSE, EOS]);
    expect(transitions.every(({ record }) => record.codes.every(code => code === ABSENT))).toBe(true);
  });

  it('whatever is generated: ends only after a final segment, and speech steps carry no text', () => {
    const id = fc.constantFrom(EOS, PAUSE, 500, 501);
    const code = fc.constantFrom(END, PAD, 0, 40, 41);
    const candidate = fc.tuple(id, code, code, code, code).map(([text, ...codes]) => step(text, ...codes));
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 60 }), candidates => {
        let state = startGeneration('speech');
        let last = 500;
        for (const candidate of candidates) {
          const before = state;
          const { record, end, ...rest } = advanceGeneration(state, candidate, TOKENS);
          state = rest.state;
          expect(record.text === ABSENT).toBe(before.phase === 'speech');
          if (before.phase === 'dense') last = record.text;
          if (end) {
            expect([last, record.codes[0]]).toEqual([EOS, END]);
            return;
          }
          expect(['dense', 'speech']).toContain(state.phase);
        }
      }),
    );
  });
});

describe('a tag of calls where no call may begin', () => {
  const TAG = 260;
  const speak = (texts: readonly number[], callBegin: number | null, mode: 'speech' | 'text' = 'speech') => {
    let state = startGeneration(mode);
    const tokens = { ...TOKENS, callBegin, inCalls: [TAG, TAG + 1] };
    return texts.map(text => {
      const transition = advanceGeneration(state, step(text, 100, 7, 8, 9), tokens);
      state = transition.state;
      return [transition.record.text, transition.record.codes[0], state.phase];
    });
  };

  it('ends the text as </longcat_s> does, and is never recorded', () => {
    expect(speak([500, TAG], null)).toEqual([
      [500, 100, 'dense'],
      [EOS, 100, 'speech'],
    ]);
    expect(speak([500, TAG], null, 'text')[1]).toEqual([EOS, ABSENT, 'ended']);
  });

  it('leaves no empty segment to be spoken', () => {
    expect(speak([TAG], null)).toEqual([[EOS, ABSENT, 'ended']]);
  });

  it('begins a call where one is offered; the other tags begin none', () => {
    expect(speak([500, TAG, TAG + 1], TAG)).toEqual([
      [500, 100, 'dense'],
      [TAG, ABSENT, 'call'],
      [TAG + 1, ABSENT, 'call'],
    ]);
    expect(speak([TAG + 1], TAG)).toEqual([[EOS, ABSENT, 'ended']]);
  });
});

describe('the acoustic delay', () => {
  const frame = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 255 })));
  const segment = fc.array(frame, { minLength: 1, maxLength: 8 });

  it('is undone by what makes it, over all segments of a reply', () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), segments => {
        const steps = segments.flatMap(frames =>
          stepsOfSegment(Int32Array.from(frames.flat()), [500, PAUSE]),
        );
        expect([...framesOfSteps(steps)]).toEqual(segments.flat(2));
      }),
    );
  });

  it('lays a segment out as the table of the specification', () => {
    const steps = stepsOfSegment(Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [500, PAUSE]);
    expect(steps).toEqual([
      step(500, 33, PAD, PAD, PAD),
      step(PAUSE, 37, 34, 35, 36),
      step(ABSENT, END, 38, 39, 40),
    ]);
    const positions = historyPositions(steps, 3);
    expect([...positions.textIds]).toEqual([500, PAUSE, 3]);
    expect([...positions.codes]).toEqual([33, 3, 3, 3, 37, 34, 35, 36, 2, 38, 39, 40]);
  });

  it('lets a text be one token longer than its frames and no more', () => {
    expect(stepsOfSegment(Int32Array.of(1, 2, 3, 4), [500, PAUSE])).toHaveLength(2);
    expect(() => stepsOfSegment(Int32Array.of(1, 2, 3, 4), [500, 501, PAUSE])).toThrow('more tokens');
  });

  it('makes no frame of absent or reserved ids', () => {
    const good = step(500, 100, 40, 50, 60);
    expect(completedFrame(null, good)).toBeNull();
    expect(completedFrame(good, step(500, 100, ABSENT, 50, 60))).toBeNull();
    expect(completedFrame(step(500, PAD, 40, 50, 60), good)).toBeNull();
    expect(completedFrame(step(500, END, 40, 50, 60), good)).toBeNull();
    expect(completedFrame(good, good)).toEqual([68, 8, 18, 28]);
  });
});
