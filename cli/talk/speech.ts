import type { Readable } from 'node:stream';
import { mixed, oneChannel, sidesOf } from '../media/channels.ts';
import { resampled } from '../media/resampled.ts';
import { readSound, STANDARD_INPUT } from '../media/sound.ts';

const QUIET_DB = -40;

/** What is said in a file, ready to be spoken into a session. */
export interface Speech {
  readonly name: string;
  /** 16 kHz mono. */
  readonly samples: Float32Array;
  readonly durationMs: number;
  /** What a person should know of it, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * @param channel counted from 1; absent: all of them, averaged @throws RuntimeError `media.unreadable`, `media.channel`
 */
export async function readSpeech(
  path: string,
  channel: number | undefined,
  sampleRate: number,
  input: Readable,
): Promise<Speech> {
  const sound = await readSound(path, input);
  const sides = channel === undefined ? sidesOf(sound) : [];
  const recording = channel === undefined ? mixed(sound) : oneChannel(sound, channel);
  const samples = resampled(recording, sampleRate);
  return {
    name: path === STANDARD_INPUT ? 'standard input' : path,
    samples,
    durationMs: (samples.length * 1000) / sampleRate,
    warnings:
      sides.length > 0
        ? [
            `Different people speak in channels ${sides.join(' and ')}, and they are mixed into one: --channel ${sides[0]} takes the first alone.`,
          ]
        : [],
  };
}

/** What to tell whoever expected an answer. */
export function noSpeech({ name, samples, durationMs }: Speech): string {
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const peakDb = 20 * Math.log10(peak);
  const what = `No speech was heard in ${name} (${(durationMs / 1000).toFixed(1)} s`;
  if (peak === 0) return `${what}, all of it digital silence).`;
  const level = `loudest at ${peakDb.toFixed(0)} dBFS)`;
  if (peakDb < QUIET_DB) return `${what}, ${level}. It may be too quiet: make it louder and try again.`;
  return `${what}, ${level}. It may hold noise, tones or music only; --vad-threshold sets what counts as speech.`;
}
