import { RuntimeError } from '../../kernels/errors.ts';
import type { MonoSound, ChannelSound } from './wav-format.ts';

/** The channels that are spoken in by different people have this much between them, */
const APART_DB = 10;
/** in this share of what is spoken, in each of at least two channels, */
const EACH_SHARE = 0.1;
/** and this share of it in all of them together. */
const ALL_SHARE = 0.5;
/** Quieter than this below the loudest frame is nobody. */
const SPOKEN_DB = 35;
const FRAME_MS = 20;

/** All channels, averaged; those without any sound do not make the others quieter. */
export function mixed({ sampleRate, channels }: ChannelSound): MonoSound {
  const sounding = channels.filter(samples => samples.some(value => value !== 0));
  if (sounding.length <= 1) return { sampleRate, samples: sounding[0] ?? channels[0] };
  const samples = new Float32Array(channels[0].length);
  for (let i = 0; i < samples.length; i++) {
    let sum = 0;
    for (const channel of sounding) sum += channel[i];
    samples[i] = sum / sounding.length;
  }
  return { sampleRate, samples };
}

/** @param channel counted from 1 @throws RuntimeError `media.channel` */
export function oneChannel({ sampleRate, channels }: ChannelSound, channel: number): MonoSound {
  const samples = channels[channel - 1];
  if (samples) return { sampleRate, samples };
  throw new RuntimeError(
    'media.channel',
    'The sound has no such channel.',
    { channel, channels: channels.length },
    channels.length === 1 ? 'Leave --channel out.' : `Give --channel 1 to ${channels.length}.`,
  );
}

/**
 * The channels in which somebody speaks while the others are quiet, counted from 1: the two sides of a recorded call.
 * Empty where it is one sound, as music and rooms are.
 */
export function sidesOf({ sampleRate, channels }: ChannelSound): number[] {
  if (channels.length < 2) return [];
  const levels = channels.map(samples => frameLevelsDb(samples, Math.round((sampleRate * FRAME_MS) / 1000)));
  const loudest = levels.reduce((most, level) => level.reduce((a, b) => Math.max(a, b), most), -Infinity);
  const alone = channels.map(() => 0);
  let spoken = 0;
  for (let frame = 0; frame < levels[0].length; frame++) {
    const [first, second] = levels.map(level => level[frame]).sort((a, b) => b - a);
    if (first < loudest - SPOKEN_DB) continue;
    spoken++;
    if (first - second >= APART_DB) alone[levels.findIndex(level => level[frame] === first)]++;
  }
  const sides = alone.flatMap((frames, at) => (frames >= EACH_SHARE * spoken ? [at + 1] : []));
  const together = alone.reduce((sum, frames) => sum + frames, 0);
  return spoken > 0 && sides.length >= 2 && together >= ALL_SHARE * spoken ? sides : [];
}

function frameLevelsDb(samples: Float32Array, frame: number): Float32Array {
  const levels = new Float32Array(Math.floor(samples.length / frame));
  for (let at = 0; at < levels.length; at++) {
    let power = 0;
    for (let i = at * frame; i < (at + 1) * frame; i++) power += samples[i] * samples[i];
    levels[at] = 10 * Math.log10(power / frame + 1e-12);
  }
  return levels;
}
