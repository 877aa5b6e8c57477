import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { RuntimeError } from '../../kernels/errors.ts';
import { mixed } from './channels.ts';
import { decodeWav, encodeWav, type MonoSound } from './wav-format.ts';

export const MAX_SOUND_BYTES = 512 << 20;

/** Several channels are averaged. @throws RuntimeError `media.unreadable` */
export function readWav(path: string): MonoSound {
  try {
    if (statSync(path).size > MAX_SOUND_BYTES) throw new Error(`larger than ${MAX_SOUND_BYTES} bytes`);
    return mixed(decodeWav(readFileSync(path)));
  } catch (error) {
    throw new RuntimeError(
      'media.unreadable',
      'Not a readable WAV file.',
      { path, cause: (error as Error).message },
      'Give PCM, float, A-law or µ-law WAV.',
    );
  }
}

/** 16-bit mono. */
export function writeWav(path: string, { samples, sampleRate }: MonoSound): void {
  writeFileSync(path, encodeWav(samples, sampleRate));
}
