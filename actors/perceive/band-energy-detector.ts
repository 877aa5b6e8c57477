/**
 * Our own small voice activity detector. The eight numbers below were fitted by logistic regression on synthetic speech
 * in white, pink and babble noise; a small recurrent network beside it says how much like a voice a sound is that goes
 * on. Frames of lost sound are passed over: nothing is learnt from them, and what follows is heard as if they had not
 * been.
 *
 *   frame ─► lost sound, or quieter than any voice, or tones ─► the probability dies away
 *        └─► 12 band energies ─► adaptive noise floor per band ─► signal-to-noise, spread over the bands ─┐
 *        └─► autocorrelation ─► harmonicity ──────────────────────────────────────────────────────────────┼─►
 *        probability └─► level ─► movement over 400 ms (speech rises and falls with its syllables) ───────────────────┘
 */
import { LineKind } from './line-kind.ts';
import { holdsLostSound } from './lost-sound.ts';
import { BANDS, SoundFeatures } from './sound-features.ts';
import { SpeechNetwork } from './speech-network.ts';
import type { VoiceActivityDetector } from './voice-activity-detector.ts';

/** Quieter than this is silence whatever its shape. */
const SILENCE_DB = -62;
const LEVEL_FRAMES = 20;
/**
 * A room that grows louder at once moves too, but once: without its two greatest steps (a step lies in two frames)
 * speech still moves by this many times its deviation.
 */
const STEPS_PER_DEVIATION = 4;
/** Fitted; in the order of `#score`, then the constant. */
const WEIGHTS = [0.909, 0.122, 2.063, -0.071, 7.573, -4.613, 1.266, -2.498];
/** From here on a frame counts as speech for what the line is. */
const SPEECH = 0.5;

/** Error `vad.sample-rate` unless 8000 or 16000. */
export function createBandEnergyDetector(sampleRate: number): VoiceActivityDetector {
  return new BandEnergyDetector(sampleRate);
}

class BandEnergyDetector implements VoiceActivityDetector {
  readonly #features: SoundFeatures;
  readonly #network = new SpeechNetwork();
  readonly #line: LineKind;
  /** The last levels, dB, in a ring. */
  readonly #levels = new Float64Array(LEVEL_FRAMES);
  readonly #snr = new Float64Array(BANDS);
  #heard = 0;
  #probability = 0;
  voicing = 0;
  likeness = 0;

  constructor(sampleRate: number) {
    this.#features = new SoundFeatures(sampleRate);
    this.#line = new LineKind(sampleRate);
  }

  get telephone(): boolean {
    return this.#line.isTelephone;
  }

  /** Leaves no garbage: it runs 50 times a second. */
  frame(samples: Float32Array): number {
    if (holdsLostSound(samples)) {
      this.#line.lost();
      return this.#silence();
    }
    this.likeness = this.#network.frame(this.#features.frame(samples));
    const level = 10 * Math.log10(this.#features.meanSquare + 1e-12);
    this.#levels[this.#heard++ % LEVEL_FRAMES] = level;
    const isSound = level >= SILENCE_DB && !this.#features.isTones;
    const probability = isSound ? this.#score() : this.#silence();
    const { above, below } = this.#features;
    this.#line.heard(above, below, isSound && probability >= SPEECH);
    if (!isSound) return probability;
    this.voicing = this.#features.harmonicity;
    this.#probability = probability;
    return probability;
  }

  #silence(): number {
    this.voicing = 0;
    this.#probability *= 0.5;
    return this.#probability;
  }

  #score(): number {
    const { energies, floor, harmonicity } = this.#features;
    const snr = this.#snr;
    let [linear, mean, spread, energy] = [0, 0, 0, 0];
    for (let band = 0; band < BANDS; band++) {
      snr[band] = Math.min(3, Math.max(0, (energies[band] - floor[band]) / 10));
      linear += 10 ** (energies[band] / 10);
      mean += snr[band] / BANDS;
      energy += energies[band] / BANDS;
      if (snr[band] > 0.5) spread += 1;
    }
    snr.sort();
    const top = (snr[BANDS - 1] + snr[BANDS - 2] + snr[BANDS - 3] + snr[BANDS - 4]) / 4;
    const score =
      WEIGHTS[0] * mean +
      WEIGHTS[1] * top +
      WEIGHTS[2] * harmonicity +
      (WEIGHTS[3] * (energy - 10 * Math.log10(linear / BANDS))) / 10 +
      (WEIGHTS[4] * this.#movement() * Math.min(mean, 1)) / 10 +
      (WEIGHTS[5] * spread) / BANDS +
      WEIGHTS[6] * harmonicity * Math.min(top, 2) +
      WEIGHTS[7];
    return 1 / (1 + Math.exp(-score));
  }

  /** Deviation of the last levels, dB, of which one step up or down is no part. */
  #movement(): number {
    const count = Math.min(this.#heard, LEVEL_FRAMES);
    const first = this.#heard - count;
    let [sum, squares, steps, greatest, second] = [0, 0, 0, 0, 0];
    for (let i = first; i < this.#heard; i++) {
      const level = this.#levels[i % LEVEL_FRAMES];
      sum += level;
      squares += level * level;
      if (i === first) continue;
      const step = Math.abs(level - this.#levels[(i - 1) % LEVEL_FRAMES]);
      steps += step;
      second = Math.max(second, Math.min(step, greatest));
      greatest = Math.max(greatest, step);
    }
    const deviation = Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
    return Math.min(deviation, (steps - greatest - second) / STEPS_PER_DEVIATION);
  }
}
