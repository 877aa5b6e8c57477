/** Whom the agent lets interrupt: voices at the level of the user's own turns, not the ones across the room. */
import { describe, expect, it } from 'vitest';
import { type Percept, Perception } from '../../actors/perceive/index.ts';
import { DEFAULT_TURN_DETECTION } from '../../actors/turn-taking/index.ts';

const FRAME_MS = 20;
type Verdict = Parameters<Perception['frame']>[1];

/** A user who has said a turn at 0 dB; then the agent speaks, `weighed` unless said. */
function line(weighed = true) {
  let probability = 1;
  const perception = new Perception(
    { frame: samples => (samples[0] > 0 ? probability : 0), voicing: 1 },
    DEFAULT_TURN_DETECTION,
  );
  const percepts: Percept[] = [];
  const hear = (ms: number, db: number | null, verdict: Verdict = 'person', speech = 1) => {
    probability = speech;
    percepts.length = 0;
    const frame = new Float32Array(320).fill(db === null ? 0 : 0.1 * 10 ** (db / 20));
    for (let at = 0; at < ms; at += FRAME_MS)
      perception.frame(frame, verdict, percept => percepts.push(percept));
    return percepts.filter(({ type }) => type === 'speech.onset').length;
  };
  const lastedMs = () => percepts.findLast(percept => percept.type === 'evidence')?.lastedMs;
  hear(600, 0);
  hear(1000, null);
  perception.agentSpeaks(true);
  perception.weigh(weighed);
  return { hear, lastedMs };
}

describe('a voice elsewhere', () => {
  it('does not open a sound more than 9 dB below the user, and his own voice does with its first frame', () => {
    expect(line().hear(800, -9.5)).toBe(0);
    expect(line().hear(FRAME_MS, -8.5)).toBe(1);
    expect(line().hear(FRAME_MS, 0)).toBe(1);
  });

  it('is known after two frames and 160 ms; while it is, what is below −4 dB is of it, for 1.2 s', () => {
    const cases: [number, number, number, number][] = [
      // Elsewhere for ms, then nothing for ms, then a frame at dB: onsets.
      [20, 400, -5, 1],
      [140, 0, -5, 1],
      [160, 0, -5, 0],
      [160, 0, -3.5, 1],
      [40, 100, -5, 1],
      [40, 120, -5, 0],
      [40, 1180, -5, 0],
      [40, 1240, -5, 1],
    ];
    for (const [elsewhereMs, restMs, db, onsets] of cases) {
      const { hear } = line();
      hear(elsewhereMs, -15);
      if (restMs > 0) hear(restMs, null);
      expect(hear(FRAME_MS, db), `${elsewhereMs} ms, ${restMs} ms, ${db} dB`).toBe(onsets);
    }
  });

  it('is not what the agent’s own echo is taken for', () => {
    const { hear } = line();
    hear(400, -15, 'echo');
    expect(hear(FRAME_MS, -5)).toBe(1);
  });

  it('is noticed while nobody knows whether it is an echo, and before it is clearly a voice', () => {
    const { hear } = line();
    hear(160, -15, 'undecided');
    expect(hear(FRAME_MS, -5)).toBe(0);
    const faint = line();
    faint.hear(160, -15, 'person', 0.35);
    expect(faint.hear(FRAME_MS, -5)).toBe(0);
    const noise = line();
    noise.hear(160, -15, 'person', 0.25);
    expect(noise.hear(FRAME_MS, -5)).toBe(1);
  });

  it('is remembered while the echo covers it', () => {
    const { hear } = line();
    hear(40, -15);
    hear(120, -15, 'echo');
    expect(hear(FRAME_MS, -5)).toBe(0);
  });

  it('matters only where sound is weighed, and never inside a sound that has begun', () => {
    expect(line(false).hear(FRAME_MS, -20)).toBe(1);
    const { hear } = line();
    hear(100, 0);
    hear(200, -15);
    expect(hear(100, 0)).toBe(0); // It is still the same sound.
  });
});

describe('what may have been an echo', () => {
  it('was the beginning of the sound that follows within 140 ms: at most 200 ms of it, unless it was of a voice elsewhere', () => {
    const cases: [Verdict, number, number, number, number][] = [
      // Held back, for ms, at dB, then nothing for ms: how old the sound is with its third frame.
      ['undecided', 80, -5, 0, 140],
      ['undecided', 80, -5, 120, 260],
      ['undecided', 80, -5, 140, 60],
      ['undecided', 400, -5, 0, 260],
      ['undecided', 80, -15, 0, 60],
      ['echo', 80, -5, 0, 60],
    ];
    for (const [verdict, ms, db, restMs, wanted] of cases) {
      const { hear, lastedMs } = line();
      hear(ms, db, verdict);
      if (restMs > 0) hear(restMs, null);
      expect(hear(3 * FRAME_MS, 0)).toBe(1);
      expect(lastedMs(), `${verdict} for ${ms} ms at ${db} dB, ${restMs} ms of nothing`).toBe(wanted);
    }
  });
});
