/** What no person makes is no turn: digital silence, lost packets, tones of machines, a room that grows louder. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../actors/core/index.ts';
import { EchoGate } from '../../actors/perceive/echo-gate.ts';
import { createBandEnergyDetector, Segmenter } from '../../actors/perceive/index.ts';
import { LineKind } from '../../actors/perceive/line-kind.ts';
import { holdsLostSound } from '../../actors/perceive/lost-sound.ts';
import { TURN_DELAYS, TURN_PRESETS } from '../../actors/turn-taking/index.ts';
import { g711 } from '../../kernels/g711/reference.ts';
import { createResampler } from '../../kernels/resample/reference.ts';
import {
  FRAME,
  joined,
  noise,
  RATE,
  room,
  silence,
  together,
  tones,
  withLoss,
} from '../support/idle-lines.ts';

const speech = g711['mu-law'].decode(
  readFileSync(new URL('../fixtures/perceive/awb-16k.ulaw', import.meta.url)),
);

const framesOf = (sound: Float32Array) =>
  Array.from({ length: Math.floor(sound.length / FRAME) }, (_, i) =>
    sound.subarray(i * FRAME, (i + 1) * FRAME),
  );

function probabilities(frames: readonly Float32Array[]): number[] {
  const detector = createBandEnergyDetector(RATE);
  return frames.map(frame => detector.frame(frame));
}

/** How many turns a session would see. */
function turnsIn(sound: Float32Array): number {
  const { threshold, endpointSilenceMs } = TURN_PRESETS.balanced;
  const { speechMs, windowMs } = TURN_DELAYS.turn;
  const segmenter = new Segmenter({
    ...{ threshold, endpointSilenceMs, speculateSilenceMs: 200 },
    ...{ confirmSpeechMs: speechMs, onsetWindowMs: windowMs },
  });
  const edges = probabilities(framesOf(sound)).flatMap(probability => segmenter.push(probability));
  return edges.filter(({ type }) => type === 'speech.started').length;
}

const SEEDS = ['a', 'b', 'c', 'd', 'e'];

describe('lost sound', () => {
  it('frames of zeros put in anywhere change nothing of what follows', () => {
    const random = createRandom('line');
    const line = framesOf(
      joined(room(random, -50, 700), together(speech.slice(0, 24_000), room(random, -50, 1500))),
    );
    const undisturbed = probabilities(line);
    const places = fc.array(fc.tuple(fc.nat(line.length), fc.integer({ min: 1, max: 12 })), {
      maxLength: 20,
    });
    const property = fc.property(places, at => {
      const before = new Map<number, number>();
      for (const [place, count] of at) before.set(place, count);
      const disturbed = line.flatMap((frame, i) => [
        ...Array.from({ length: before.get(i) ?? 0 }, () => new Float32Array(FRAME)),
        frame,
      ]);
      const heard = probabilities(disturbed).filter((_, i) => disturbed[i].some(value => value !== 0));
      // Of what is too quiet for a voice the probability dies away with every frame, also with one of zeros: lower,
      // never higher.
      return heard.every((probability, i) => probability <= undisturbed[i]);
    });
    fc.assert(property, { numRuns: 40 });
  });

  it('is known by a stretch that does not move, whatever the codec calls zero and wherever the packet ends', () => {
    const random = createRandom('zero');
    const quiet = noise(random, -70, 20);
    expect(holdsLostSound(quiet)).toBe(false);
    expect(holdsLostSound(new Float32Array(FRAME))).toBe(true);
    expect(holdsLostSound(new Float32Array(FRAME).fill(8 / 32_768))).toBe(true);
    const torn = noise(random, -40, 20);
    expect(holdsLostSound(torn.map((value, i) => (i > 40 && i < 80 ? 0 : value)))).toBe(true);
    expect(holdsLostSound(torn.map((value, i) => (i > 40 && i < 60 ? 0 : value)))).toBe(false);
    expect(holdsLostSound(new Float32Array(FRAME).fill(1))).toBe(false);
  });

  it('leaves the floor of the echo gate alone', () => {
    const verdicts = (zeros: boolean) => {
      const random = createRandom('echo');
      const gate = new EchoGate(RATE, 24_000);
      const heard: string[] = [];
      let atMs = 0;
      for (const frame of framesOf(room(random, -45, 3000))) {
        gate.played(
          new Float32Array(480).map((_, i) => 0.1 * Math.sin(i / 7)),
          atMs,
        );
        atMs += 20;
        const isZero = zeros && Math.floor(atMs / 20) % 10 === 0;
        const verdict = gate.frame(isZero ? new Float32Array(FRAME) : frame, atMs);
        if (Math.floor(atMs / 20) % 10 !== 0) heard.push(verdict);
      }
      return heard.filter(verdict => verdict !== 'person').length;
    };
    expect(verdicts(true)).toBeLessThanOrEqual(verdicts(false) + 5);
  });

  const losses = [0, 0.01, 0.03, 0.1, 0.2].flatMap(share => [
    { share, burst: 1 },
    { share, burst: 3 },
  ]);
  it.each(losses)(
    '$share of the packets, $burst together, make no turn of a room and hide none',
    ({ share, burst }) => {
      for (const [i, seed] of SEEDS.entries()) {
        const random = createRandom(`${share} ${burst} ${seed}`);
        const levelDb = -70 + 8 * i;
        const idle = withLoss(room(random, levelDb, 16_000), random, share, burst);
        expect([levelDb, turnsIn(idle)]).toEqual([levelDb, 0]);
        const talk = together(joined(silence(2000), speech, silence(1500)), room(random, levelDb - 8, 4500));
        expect(turnsIn(withLoss(talk, random, share, burst))).toBeGreaterThanOrEqual(1);
      }
    },
  );

  it('the same through the resampler of a 24 kHz client and through µ-law', () => {
    const random = createRandom('wire');
    const wire = withLoss(room(random, -50, 12_000), random, 0.05, 1);
    const up = createResampler(RATE, 24_000);
    const down = createResampler(24_000, RATE);
    expect(turnsIn(down.push(up.push(wire)))).toBe(0);
    const narrow = createResampler(RATE, 8000).push(wire);
    const law = g711['mu-law'].decode(g711['mu-law'].encode(narrow));
    expect(turnsIn(createResampler(8000, RATE).push(law))).toBe(0);
  });
});

describe('no turn is', () => {
  const sounds = {
    'a mute and the room again': (seed: string) => {
      const random = createRandom(seed);
      return joined(noise(random, -50, 5000), silence(2000), noise(random, -50, 3000));
    },
    'one lost packet and the room': (seed: string) =>
      joined(silence(20), noise(createRandom(seed), -50, 1000)),
    'a digit of a keypad': (seed: string) => onRoom(seed, tones([770, 1336], -20, 100)),
    'a fax': (seed: string) =>
      onRoom(seed, joined(tones([1100], -20, 500), silence(1500), tones([1100], -20, 500))),
    'a beep': (seed: string) => onRoom(seed, tones([1000], -18, 300)),
    'a busy line': (seed: string) =>
      onRoom(seed, joined(...[0, 1, 2].flatMap(() => [tones([480, 620], -20, 500), silence(500)]))),
    'a ringing line': (seed: string) => onRoom(seed, tones([440, 480], -22, 2000)),
    'a room that is louder all at once': (seed: string) => {
      const random = createRandom(seed);
      return joined(noise(random, -60, 3000), noise(random, -40, 3000));
    },
    'comfort noise between nothing': (seed: string) => {
      const random = createRandom(seed);
      return joined(...[0, 1, 2, 3].flatMap(() => [noise(random, -55, 600), noise(random, -85, 400)]));
    },
  };
  const onRoom = (seed: string, sound: Float32Array) => {
    const random = createRandom(seed);
    const whole = joined(silence(1500), sound, silence(1000));
    return together(whole, noise(random, -58, (whole.length * 1000) / RATE));
  };

  it.each(Object.entries(sounds))('%s', (_, made) => {
    expect(SEEDS.map(seed => turnsIn(made(seed)))).toEqual(SEEDS.map(() => 0));
  });
});

describe('what a line is', () => {
  const kindOf = (sound: Float32Array) => {
    const detector = createBandEnergyDetector(RATE);
    for (const frame of framesOf(sound)) detector.frame(frame);
    return detector.telephone;
  };
  const talk = () =>
    together(joined(silence(500), speech, silence(500)), room(createRandom('talk'), -55, 3000));

  it('a telephone where nothing of the voice is above 4 kHz, or where packets go on being lost', () => {
    expect(kindOf(talk())).toBe(false);
    const narrow = createResampler(RATE, 8000).push(talk());
    const law = g711['mu-law'].decode(g711['mu-law'].encode(narrow));
    expect(kindOf(createResampler(8000, RATE).push(law))).toBe(true);
    const random = createRandom('loss');
    expect(kindOf(withLoss(joined(talk(), talk()), random, 0.08, 1))).toBe(true);
    expect(kindOf(joined(talk(), silence(3000), talk()))).toBe(false);
  });

  it('a telephone at once where the format says so, and again none when the loss is over', () => {
    expect(new LineKind(8000).isTelephone).toBe(true);
    const line = new LineKind(RATE);
    for (let i = 0; i < 400; i++) {
      if (i % 10 === 0) line.lost();
      line.heard(1, 1, false);
    }
    expect(line.isTelephone).toBe(true);
    for (let i = 0; i < 2000; i++) line.heard(1, 1, false);
    expect(line.isTelephone).toBe(false);
  });
});
