/** What people say to the benchmark: clips of unseen speakers, put together with pauses, noise and telephone bands. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRandom, normal, type Random } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { g711 } from '../../kernels/g711/reference.ts';
import { createResampler } from '../../kernels/resample/reference.ts';
import { logNormal } from '../../sim/people/laws.ts';

export const RATE = 16_000;
export const FRAME = RATE / 50;
/** docs/spec/latency-data.md §4.2: shorter silences are not pauses. */
const SHORTEST_PAUSE_S = 0.2;
const PAUSE_S = { median: 0.4, sigma: 0.75 };

export type ClipKind = 'utterance' | 'command' | 'interruption' | 'backchannel' | 'side talk';

export interface Clip {
  readonly kind: ClipKind;
  readonly text: string;
  readonly voice: string;
  /** What is said between two pauses, and its words. */
  readonly parts: readonly Float32Array[];
  readonly texts: readonly string[];
}

/** Makes the clips where they are missing; `PYTHON` names an interpreter that has numpy, scipy and torch. */
export function loadClips(seed: number): Clip[] {
  const directory = `.cache/turn-taking/${seed}`;
  if (!existsSync(`${directory}/clips.json`)) makeClips(directory, seed);
  const sound = readFileSync(`${directory}/clips.s16`);
  const all = new Int16Array(sound.buffer, sound.byteOffset, sound.length / 2);
  const index: (Omit<Clip, 'parts' | 'texts'> & { parts: string[]; spans: [number, number][] })[] =
    JSON.parse(readFileSync(`${directory}/clips.json`, 'utf8'));
  return index.map(({ kind, text, voice, spans, parts: texts }) => ({
    kind,
    text,
    voice,
    texts,
    parts: spans.map(([at, count]) =>
      Float32Array.from(all.subarray(at, at + count), value => value / 32_768),
    ),
  }));
}

function makeClips(directory: string, seed: number): void {
  const python = process.env.PYTHON ?? 'python3';
  const { status } = spawnSync(python, ['bench/turn-taking/voices.py', directory, String(seed)], {
    stdio: 'inherit',
  });
  if (status === 0) return;
  throw new RuntimeError(
    'bench.voices',
    'The voices could not be made.',
    { python, status },
    'Install espeak-ng, flite, numpy, scipy and torch; PYTHON names the interpreter.',
  );
}

export interface Spoken {
  readonly samples: Float32Array;
  readonly speechStartMs: number;
  /** Where the last word ends. */
  readonly speechEndMs: number;
  readonly pausesMs: readonly number[];
  readonly telephone: boolean;
  readonly snrDb: number;
}

/** A hesitant turn: a pause of 0.3–1.5 s between any two of its parts, each as likely as any other. */
export function hesitant(clip: Clip, index: number, tailMs: number): Spoken {
  const random = createRandom(`hesitant ${index}`);
  const pausesMs = clip.parts.slice(1).map(() => 300 + 1200 * random.next());
  return withPauses(clip, pausesMs, random, index % 2 === 1, tailMs);
}

/** A whole turn on a line: silence, speech with pauses inside, silence; noise under all of it. */
export function spoken(clip: Clip, index: number, tailMs: number): Spoken {
  const random = createRandom(`turn ${index}`);
  const pausesMs = clip.parts
    .slice(1)
    .map(() => 1000 * Math.max(SHORTEST_PAUSE_S, logNormal(random, PAUSE_S)));
  return withPauses(clip, pausesMs, random, index % 2 === 1, tailMs);
}

function withPauses(
  clip: Clip,
  pausesMs: readonly number[],
  random: Random,
  telephone: boolean,
  tailMs: number,
): Spoken {
  const pieces: Float32Array[] = [silence(600)];
  clip.parts.forEach((part, i) => {
    if (i > 0) pieces.push(silence(pausesMs[i - 1]));
    pieces.push(part);
  });
  const speechEndMs = milliseconds(pieces);
  pieces.push(silence(tailMs));
  const snrDb = 10 + 20 * random.next();
  const samples = onTheLine(joined(pieces), random, snrDb, telephone);
  return { samples, speechStartMs: 600, speechEndMs, pausesMs, telephone, snrDb };
}

/** Noise at this ratio to speech of −20 dB, then the telephone. */
export function onTheLine(
  clean: Float32Array<ArrayBuffer>,
  random: Random,
  snrDb: number,
  telephone: boolean,
): Float32Array {
  const level = 10 ** ((-20 - snrDb) / 20);
  let last = 0;
  const noisy = clean.map(value => {
    // A low-passed room, as strong as its draw says.
    last = 0.7 * last + normal(random, 0, level * Math.sqrt(1 - 0.7 ** 2));
    return Math.max(-1, Math.min(1, value + last));
  });
  if (!telephone) return noisy;
  return resampled(g711['mu-law'].decode(g711['mu-law'].encode(resampled(noisy, RATE, 8000))), 8000, RATE);
}

export function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const silence = (durationMs: number): Float32Array<ArrayBuffer> =>
  new Float32Array(Math.round((durationMs * RATE) / 1000));

export function resampled(samples: Float32Array, from: number, to: number): Float32Array {
  const resampler = createResampler(from, to);
  return joined([resampler.push(samples), resampler.finish()]);
}

const milliseconds = (parts: readonly Float32Array[]) =>
  (parts.reduce((sum, part) => sum + part.length, 0) * 1000) / RATE;
