import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { RuntimeError } from '../../kernels/errors.ts';
import { convertedSound, kindOf } from './convert.ts';
import { MAX_SOUND_BYTES } from './wav.ts';
import { decodeWav, ForeignCoding, isWav, type ChannelSound } from './wav-format.ts';

/** The name that stands for standard input. */
export const STANDARD_INPUT = '-';

/**
 * A sound file of any kind: WAV here, the others by ffmpeg. `-` and pipes are read to their end.
 * @throws RuntimeError `media.unreadable`
 */
export async function readSound(path: string, input: Readable & { isTTY?: boolean }): Promise<ChannelSound> {
  const isFile = path !== STANDARD_INPUT && isRegular(path);
  if (path === STANDARD_INPUT && input.isTTY) {
    throw unreadable(
      path,
      'nothing is piped into it',
      'For example: sox a.flac -t wav - | longcat-rt talk -',
    );
  }
  const bytes = await readAll(path === STANDARD_INPUT ? input : createReadStream(path), path);
  if (bytes.length === 0) throw unreadable(path, 'it is empty', 'Give a sound file.');
  if (!isWav(bytes)) return convert(isFile ? path : null, bytes, path, kindOf(bytes.subarray(0, 16), path));
  try {
    return decodeWav(bytes);
  } catch (error) {
    const cause = (error as Error).message;
    if (error instanceof ForeignCoding)
      return convert(isFile ? path : null, bytes, path, `WAV with ${cause}`);
    throw unreadable(
      path,
      cause,
      'Give PCM, float, A-law or µ-law WAV, or another file with ffmpeg installed.',
    );
  }
}

function isRegular(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw unreadable(path, 'there is no such file', 'Check the name.');
  if (stats.isDirectory()) throw unreadable(path, 'it is a folder', 'Give a sound file.');
  return stats.isFile();
}

async function readAll(stream: Readable, path: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of stream) {
      length += piece.length;
      if (length > MAX_SOUND_BYTES) throw new Error(`it is larger than ${MAX_SOUND_BYTES} bytes`);
      pieces.push(piece);
    }
  } catch (error) {
    throw unreadable(
      path,
      (error as Error).message,
      'Give a file that can be read, in pieces if it is long.',
    );
  }
  return Buffer.concat(pieces);
}

/** ffmpeg seeks in some formats, so what came through a pipe is put into a file first. */
async function convert(
  file: string | null,
  bytes: Buffer,
  name: string,
  kind: string,
): Promise<ChannelSound> {
  if (file) return convertedSound(file, name, kind);
  const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-sound-'));
  try {
    const copy = join(folder, 'sound');
    writeFileSync(copy, bytes);
    return await convertedSound(copy, name, kind);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function unreadable(path: string, cause: string, remedy: string): RuntimeError {
  const shown = path === STANDARD_INPUT ? 'standard input' : path;
  return new RuntimeError('media.unreadable', 'The sound cannot be read.', { path: shown, cause }, remedy);
}
