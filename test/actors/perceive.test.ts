import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, normal } from '../../actors/core/index.ts';
import {
  createBandEnergyDetector,
  Framer,
  FrameSampler,
  type Percept,
  Perception,
  Segmenter,
  type SegmenterSettings,
} from '../../actors/perceive/index.ts';
import type { TurnDetection } from '../../actors/session-api.ts';
import { g711 } from '../../kernels/g711/reference.ts';
import { createResampler } from '../../kernels/resample/reference.ts';

const SETTINGS: SegmenterSettings = {
  threshold: 0.5,
  endpointSilenceMs: 400,
  speculateSilenceMs: 200,
  confirmSpeechMs: 80,
  onsetWindowMs: 200,
};
/** Voices that had no part in fitting the detector: flite awb and kal, espeak-ng f5 and f3. */
const CLIPS = [
  { name: 'awb-16k', rate: 16_000 },
  { name: 'espeak-f5-16k', rate: 16_000 },
  { name: 'kal-8k', rate: 8000 },
  { name: 'espeak-f3-8k', rate: 8000 },
];
const [SILENCE_MS, TALKERS] = [2000, 12];

const decode = (name: string) =>
  g711['mu-law'].decode(readFileSync(new URL(`../fixtures/perceive/${name}.ulaw`, import.meta.url)));

function padded(clip: Float32Array, rate: number): Float32Array {
  const pad = (SILENCE_MS * rate) / 1000;
  const sound = new Float32Array(pad * 2 + Math.ceil(clip.length / (rate / 50)) * (rate / 50));
  sound.set(clip, pad);
  return sound;
}

function upsampled(clip: Float32Array): Float32Array {
  const resampler = createResampler(8000, 16_000);
  const [head, tail] = [resampler.push(clip), resampler.finish()];
  const out = new Float32Array(head.length + tail.length);
  out.set(head);
  out.set(tail, head.length);
  return out;
}

const frames = (samples: Float32Array, rate: number) =>
  Array.from({ length: Math.floor(samples.length / (rate / 50)) }, (_, i) =>
    samples.subarray(i * (rate / 50), (i + 1) * (rate / 50)),
  );
const power = (samples: Float32Array) =>
  samples.reduce((sum, value) => sum + value * value, 0) / samples.length;

/** The truth, from the clean clip alone: within 35 dB of its loudest frame. */
function speechFrames(clean: Float32Array, rate: number): boolean[] {
  const powers = frames(clean, rate).map(power);
  const loudest = Math.max(...powers);
  return powers.map(value => value > loudest * 10 ** -3.5);
}

/** A room of talkers: every clip, over and over, each from its own place and half of them backwards. */
function babble(length: number, rate: number): Float32Array {
  const out = new Float32Array(length);
  for (let talker = 0; talker < TALKERS; talker++) {
    const { name, rate: own } = CLIPS[talker % CLIPS.length];
    const clip = own === rate ? decode(name) : own < rate ? upsampled(decode(name)) : decimated(decode(name));
    const level = Math.sqrt(power(clip));
    const from = Math.floor((talker * clip.length) / TALKERS);
    for (let i = 0; i < length; i++) {
      const at = (i + from) % clip.length;
      out[i] += clip[talker % 2 === 0 ? at : clip.length - 1 - at] / level;
    }
  }
  return out;
}

function decimated(clip: Float32Array): Float32Array {
  return createResampler(16_000, 8000).push(clip);
}

/** Noise at this ratio to the speech's active level. */
function withNoise(clean: Float32Array, rate: number, kind: string, snrDb: number): Float32Array {
  const random = createRandom(`${kind} ${snrDb}`);
  const truth = speechFrames(clean, rate);
  const active = frames(clean, rate).filter((_, i) => truth[i]);
  const speechPower = active.reduce((sum, frame) => sum + power(frame), 0) / active.length;
  const noise = kind === 'babble' ? babble(clean.length, rate) : new Float32Array(clean.length);
  // Pink by three leaky integrators (Paul Kellet's economy filter): −3 dB an octave within ±0.5 dB.
  let [b0, b1, b2] = [0, 0, 0];
  for (let i = 0; kind !== 'babble' && i < noise.length; i++) {
    const white = normal(random, 0, 1);
    b0 = 0.99765 * b0 + white * 0.099046;
    b1 = 0.963 * b1 + white * 0.2965164;
    b2 = 0.57 * b2 + white * 1.0526913;
    noise[i] = kind === 'white' ? white : b0 + b1 + b2 + white * 0.1848;
  }
  const gain = Math.sqrt(speechPower / power(noise) / 10 ** (snrDb / 10));
  return clean.map((value, i) => value + gain * noise[i]);
}

function hear(sound: Float32Array, rate: number) {
  const detector = createBandEnergyDetector(rate);
  // The default endpoint: one of the clips has a pause inside.
  const segmenter = new Segmenter({ ...SETTINGS, endpointSilenceMs: 650 });
  return frames(sound, rate).flatMap(frame => segmenter.push(detector.frame(frame)));
}

describe('the voice activity detector', () => {
  const cases = CLIPS.flatMap(clip => [
    { ...clip, kind: 'clean', snrDb: 60 },
    { ...clip, kind: 'white', snrDb: 10 },
    { ...clip, kind: 'pink', snrDb: 10 },
    { ...clip, kind: 'white', snrDb: 20 },
    { ...clip, kind: 'babble', snrDb: 10 },
  ]);

  it.each(cases)(
    'finds where $name begins and ends in $kind noise at $snrDb dB',
    ({ name, rate, kind, snrDb }) => {
      const clip = decode(name);
      const versions =
        rate === 8000
          ? [
              { clip, rate },
              { clip: upsampled(clip), rate: 16_000 },
            ]
          : [{ clip, rate }];
      for (const version of versions) {
        const clean = padded(version.clip, version.rate);
        const truth = speechFrames(clean, version.rate);
        const sound = withNoise(clean, version.rate, kind === 'clean' ? 'white' : kind, snrDb);
        const edges = hear(sound, version.rate);
        const started = edges.filter(({ type }) => type === 'speech.started');
        const paused = edges.filter(({ type }) => type === 'speech.paused');
        expect(started.length).toBe(1);
        const onsetMs = (started[0].atFrame - truth.indexOf(true)) * 20;
        const offsetMs = (paused.at(-1)!.atFrame - truth.lastIndexOf(true) - 1) * 20;
        expect(onsetMs).toBeGreaterThanOrEqual(-100);
        expect(onsetMs).toBeLessThanOrEqual(200);
        expect(Math.abs(offsetMs)).toBeLessThanOrEqual(200);
      }
    },
  );

  it('hears nobody in noise, hum, clicks or digital silence', () => {
    const random = createRandom('nobody');
    const seconds = 20 * 16_000;
    const sounds = {
      silence: () => 0,
      white: () => 0.05 * normal(random, 0, 1),
      hum: (i: number) => 0.1 * Math.sin((2 * Math.PI * 50 * i) / 16_000),
      clicks: (i: number) => (i % 16_000 < 20 ? 0.5 : 0),
    };
    for (const [name, at] of Object.entries(sounds)) {
      const edges = hear(
        Float32Array.from({ length: seconds }, (_, i) => at(i)),
        16_000,
      );
      expect([name, edges.filter(({ type }) => type === 'speech.started').length]).toEqual([name, 0]);
    }
  });

  it('does not depend on the level of the microphone', () => {
    const clean = padded(decode('awb-16k'), 16_000);
    const noisy = withNoise(clean, 16_000, 'pink', 15);
    const starts = [1, 0.1, 0.03].map(
      gain =>
        hear(
          noisy.map(value => value * gain),
          16_000,
        ).find(({ type }) => type === 'speech.started')!.atFrame,
    );
    expect(Math.max(...starts) - Math.min(...starts)).toBeLessThanOrEqual(2);
  });

  it('refuses rates that it does not hear', () => {
    expect(() => createBandEnergyDetector(44_100)).toThrow(/8 or 16 kHz/);
  });
});

/** `#` speech, `.` silence, one frame each. */
function edgesOf(pattern: string, settings = SETTINGS): string[] {
  const segmenter = new Segmenter(settings);
  return [...pattern]
    .flatMap(mark => segmenter.push(mark === '#' ? 1 : 0))
    .map(({ type, atFrame }) => `${type.split('.')[1]} ${atFrame}`);
}

describe('the segmenter', () => {
  it('backdates an utterance to its first frame and its end to the first silent one', () => {
    expect(edgesOf(`..${'#'.repeat(10)}${'.'.repeat(20)}`)).toEqual([
      'onset 2',
      'started 2',
      'paused 12',
      'speculate 22',
      'endpoint 32',
    ]);
  });

  it('dismisses what is too short to be speech', () => {
    expect(edgesOf(`.##${'.'.repeat(20)}`)).toEqual(['onset 1', 'dismissed 11']);
  });

  it('goes on through short gaps, resumes after pauses, and one crackle ends no silence', () => {
    expect(
      edgesOf(`${'#'.repeat(8)}...${'#'.repeat(8)}${'.'.repeat(12)}${'#'.repeat(5)}${'.'.repeat(20)}`),
    ).toEqual([
      'onset 0',
      'started 0',
      'paused 19',
      'speculate 29',
      'resumed 31',
      'paused 36',
      'speculate 46',
      'endpoint 56',
    ]);
    expect(edgesOf(`${'#'.repeat(8)}${'.'.repeat(8)}#${'.'.repeat(11)}`).at(-1)).toBe('endpoint 28');
  });

  it('needs more evidence where it is told to, as during agent speech', () => {
    const bargeIn = { ...SETTINGS, confirmSpeechMs: 200, onsetWindowMs: 400 };
    expect(edgesOf(`${'#'.repeat(8)}${'.'.repeat(20)}`, bargeIn)).toEqual(['onset 0', 'dismissed 20']);
    expect(edgesOf('#'.repeat(12), bargeIn)).toEqual(['onset 0', 'started 0']);
  });

  it('alternates properly whatever it hears: no end without a start, no two starts without an end', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 300 }), probabilities => {
        const segmenter = new Segmenter(SETTINGS);
        let [open, undecided, paused] = [false, false, false];
        let latest = 0;
        for (const edge of probabilities.flatMap(probability => segmenter.push(probability))) {
          if (edge.type === 'speech.onset') expect(open || undecided).toBe(false);
          if (edge.type === 'speech.onset') undecided = true;
          if (edge.type === 'speech.dismissed') expect(undecided).toBe(true);
          if (edge.type === 'speech.started') expect(undecided && !open).toBe(true);
          if (edge.type === 'speech.started') [open, paused] = [true, false];
          if (edge.type === 'speech.started' || edge.type === 'speech.dismissed') undecided = false;
          if (edge.type === 'speech.paused') expect(open && !paused).toBe(true);
          if (edge.type === 'speech.paused') paused = true;
          if (edge.type === 'speech.resumed') expect(paused).toBe(true);
          if (edge.type === 'speech.resumed') paused = false;
          if (edge.type.startsWith('silence')) expect(open && paused).toBe(true);
          if (edge.type === 'silence.endpoint') open = false;
          expect(edge.atFrame).toBeLessThanOrEqual(probabilities.length);
          latest = Math.max(latest, edge.atFrame);
        }
      }),
    );
  });
});

describe('perception', () => {
  const settings: Extract<TurnDetection, { mode: 'vad' }> = {
    mode: 'vad',
    threshold: 0.5,
    prefixPaddingMs: 100,
    endpointSilenceMs: 400,
    speculateSilenceMs: 200,
    createResponse: true,
    interruptResponse: true,
  };
  /** Each sample carries its index; every sample from 1 s to 2 s is speech. */
  const perceive = (cuts: readonly number[]) => {
    const detector = {
      frame: (samples: Float32Array) => (samples[0] >= 16_000 && samples[0] < 32_000 ? 1 : 0),
    };
    const perception = new Perception(detector, settings);
    const framer = new Framer(320);
    const percepts: Percept[] = [];
    const all = Float32Array.from({ length: 48_000 }, (_, i) => i);
    const hear = (audio: Float32Array) => {
      const packet = framer.push(audio);
      for (let i = 0; packet && i < packet.length; i += 320) {
        perception.frame(packet.subarray(i, i + 320), 'person', percept => percepts.push(percept));
      }
    };
    let at = 0;
    for (const cut of cuts) {
      hear(all.subarray(at, at + cut));
      at += cut;
    }
    hear(all.subarray(at));
    return percepts;
  };
  const samplesOf = (percepts: readonly Percept[]) =>
    percepts.flatMap(percept =>
      percept.type === 'utterance' ? [...percept.packet.subarray(percept.from, percept.to)] : [],
    );

  it('puts the prefix padding in front of the utterance and ends it at the endpoint, sample by sample', () => {
    const samples = samplesOf(perceive([]));
    expect(samples[0]).toBe(16_000 - 1600);
    expect(samples.at(-1)).toBe(32_000 + 6400 - 1);
    expect(samples.every((value, i) => value === samples[0] + i)).toBe(true);
  });

  it('has to be surer of a voice in what its sender heard none in, and may be', () => {
    const starts = (probability: number, isVoiceless: boolean) => {
      const perception = new Perception({ frame: () => probability }, settings);
      perception.isVoiceless = isVoiceless;
      const types = new Set<string>();
      for (let i = 0; i < 50; i++)
        perception.frame(new Float32Array(320), 'person', percept => types.add(percept.type));
      return types.has('speech.started');
    };
    expect([starts(0.6, false), starts(0.6, true), starts(0.8, true)]).toEqual([true, false, true]);
  });

  it('gives the audio before the edges that it reveals', () => {
    const percepts = perceive([]);
    const speculate = percepts.findIndex(({ type }) => type === 'silence.speculate');
    expect(samplesOf(percepts.slice(0, speculate)).at(-1)).toBe(32_000 + 3200 - 1);
  });

  it('perceives the same however the audio is cut into packets', () => {
    const whole = perceive([]);
    const cuts = fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 30 });
    fc.assert(
      fc.property(cuts, given => {
        const cut = perceive(given.reduce((sum, value) => sum + value, 0) < 48_000 ? given : []);
        expect(cut.map(({ type }) => type)).toEqual(whole.map(({ type }) => type));
        expect(samplesOf(cut)).toEqual(samplesOf(whole));
      }),
      { numRuns: 20 },
    );
  });
});

describe('the frame sampler', () => {
  const picture = (id: number) => ({ width: id, height: 1, data: new Uint8Array(3 * id) });
  const ids = (unit: ReturnType<FrameSampler['push']>) => unit?.frames.map(({ width }) => width);

  it('takes one picture each 2 s while nobody speaks', () => {
    const sampler = new FrameSampler();
    const taken = Array.from({ length: 20 }, (_, i) => sampler.push(picture(i), i * 500)).filter(
      unit => unit !== null,
    );
    expect(taken.map(unit => [unit.capturedAtMs, unit.frames.length, unit.chunk])).toEqual([
      [0, 1, null],
      [2000, 1, null],
      [4000, 1, null],
      [6000, 1, null],
      [8000, 1, null],
    ]);
  });

  it('takes two a second in pairs while the user speaks, from any camera rate', () => {
    const sampler = new FrameSampler();
    sampler.startUtterance();
    const units = [];
    for (let at = 0; at < 3000; at += 100) {
      expect(sampler.push(picture(at / 100), at)).toBeNull();
      const { unit, chunkEnded } = sampler.advance(100);
      if (chunkEnded) units.push([unit?.chunk, ids(unit), unit?.capturedAtMs]);
    }
    expect(units).toEqual([
      [0, [0, 5], 0],
      [1, [10, 15], 1000],
      [2, [20, 25], 2000],
    ]);
  });

  it('shows a lone picture after the one before it, so that what moves is seen to move', () => {
    const sampler = new FrameSampler();
    for (let at = 0; at <= 800; at += 100) sampler.push(picture(at / 100), at);
    sampler.startUtterance();
    sampler.push(picture(9), 900);
    sampler.advance(700);
    const unit = sampler.flush();
    expect([ids(unit), unit?.capturedAtMs]).toEqual([[0, 9], 900]);
  });

  it('does not pair pictures that are further apart than a second', () => {
    const sampler = new FrameSampler();
    sampler.push(picture(1), 0);
    sampler.startUtterance();
    sampler.push(picture(2), 1001);
    expect(ids(sampler.flush())).toEqual([2]);
  });

  it('gives what it has of the chunk under way, once', () => {
    const sampler = new FrameSampler();
    sampler.startUtterance();
    sampler.push(picture(7), 100);
    sampler.advance(300);
    expect(ids(sampler.flush())).toEqual([7]);
    expect(sampler.flush()).toBeNull();
    sampler.push(picture(8), 700);
    expect(sampler.advance(800)).toEqual({ chunkEnded: true, unit: null });
  });
});
