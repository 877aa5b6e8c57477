/** Everything that is sound and no plain WAV, by ffmpeg where it is installed. */
import { spawn } from 'node:child_process';
import { basename, extname } from 'node:path';
import { RuntimeError } from '../../kernels/errors.ts';
import { findProgram, installHint } from '../programs.ts';
import { decodeWav, type ChannelSound } from './wav-format.ts';

const RATE_HZ = 16_000;
const CONVERT_TIMEOUT_MS = 600_000;
/** Two hours of stereo. */
const MAX_CONVERTED_BYTES = 1 << 30;
const MAX_COMPLAINT_BYTES = 4096;

/** First bytes of what people are likely to have. */
const MAGIC: readonly (readonly [name: string, at: number, bytes: string])[] = [
  ['Ogg (Opus or Vorbis)', 0, 'OggS'],
  ['FLAC', 0, 'fLaC'],
  ['MP3', 0, 'ID3'],
  ['M4A or MP4', 4, 'ftyp'],
  ['Matroska or WebM', 0, '\x1a\x45\xdf\xa3'],
  ['AIFF', 0, 'FORM'],
  ['AU', 0, '.snd'],
  ['AMR', 0, '#!AMR'],
  ['Core Audio', 0, 'caff'],
  ['big-endian WAV', 0, 'RIFX'],
];

/** What these bytes seem to be; the ending of the name where they do not tell. */
export function kindOf(head: Buffer, name: string): string {
  const found = MAGIC.find(([, at, bytes]) => head.toString('latin1', at, at + bytes.length) === bytes);
  if (found) return found[0];
  if (head.length > 1 && head[0] === 0xff && (head[1] & 0xe0) === 0xe0) return 'MP3 or AAC';
  return extname(name).slice(1).toUpperCase() || 'an unknown format';
}

/**
 * The sound of a file at 16 kHz, all its channels.
 * @param name what the person calls it
 * @throws RuntimeError `media.unreadable`; without ffmpeg it holds the command that converts
 */
export async function convertedSound(path: string, name: string, kind: string): Promise<ChannelSound> {
  const ffmpeg = findProgram('ffmpeg');
  if (!ffmpeg)
    throw unreadable(name, `it is ${kind}, which ffmpeg reads, and ffmpeg is not installed`, howTo(name));
  const options = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-protocol_whitelist', 'file,pipe'];
  const output = ['-map', '0:a:0', '-ar', String(RATE_HZ), '-c:a', 'pcm_f32le', '-f', 'wav', 'pipe:1'];
  // `file:` keeps a name with a colon or a leading dash from meaning something else.
  const { bytes, complaint } = await run(ffmpeg, [...options, '-i', `file:${path}`, ...output]);
  try {
    return decodeWav(bytes);
  } catch (error) {
    const cause = complaint || (error as Error).message;
    throw unreadable(name, `ffmpeg: ${cause}`, 'Give a file with sound that ffmpeg can read, or a WAV file.');
  }
}

function howTo(name: string): string {
  const file = name === '-' ? 'FILE' : name;
  const stem = basename(file, extname(file)).replace(/^-+/, '') || 'sound';
  const quoted = (text: string) => (/^[\w./+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const command = `ffmpeg -i ${quoted(file)} -c:a pcm_s16le ${quoted(`${stem}.wav`)}`;
  return `Install it (${installHint('ffmpeg')}), or convert the file where it is: ${command}`;
}

function run(program: string, options: string[]): Promise<{ bytes: Buffer; complaint: string }> {
  const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'pipe'], timeout: CONVERT_TIMEOUT_MS });
  const pieces: Buffer[] = [];
  let [length, complaint] = [0, ''];
  child.stdout.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length <= MAX_CONVERTED_BYTES) return pieces.push(piece);
    complaint = `the sound is longer than ${MAX_CONVERTED_BYTES} bytes`;
    return child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, MAX_COMPLAINT_BYTES);
  });
  return new Promise(resolve => {
    const done = () => {
      const isWhole = child.exitCode === 0 && length <= MAX_CONVERTED_BYTES;
      resolve({ bytes: isWhole ? Buffer.concat(pieces) : Buffer.alloc(0), complaint: lastLine(complaint) });
    };
    child.once('close', done);
    child.once('error', error => {
      complaint = error.message;
      done();
    });
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

function unreadable(path: string, cause: string, remedy: string): RuntimeError {
  return new RuntimeError('media.unreadable', 'The sound cannot be read.', { path, cause }, remedy);
}
