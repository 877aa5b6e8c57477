import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RuntimeError } from '../../kernels/errors.ts';
import { findProgram, installHint } from '../programs.ts';
import { checkPicture, readPicture, type CapturedPicture } from './pictures.ts';

const MAX_FRAMES = 10_000;
const EXTRACT_TIMEOUT_MS = 600_000;
/** The dense rate of the live stream (docs/spec/model.md §5.4). */
const EXTRACTED_PER_SECOND = 2;
const PICTURE = /^(.*?)(\d+(?:\.\d+)?)\.(?:png|jpe?g)$/i;

interface StoredFrame {
  readonly capturedAtMs: number;
  readonly path: string;
}

/** Pictures in order of time, decoded shortly before they are shown: a film does not fit into memory. */
export class Video {
  readonly #frames: readonly StoredFrame[];
  readonly #folderToRemove: string | null;
  readonly #decoded: CapturedPicture[] = [];
  #loaded = 0;

  constructor(frames: readonly StoredFrame[], folderToRemove: string | null = null) {
    this.#frames = frames;
    this.#folderToRemove = folderToRemove;
  }

  /** Decodes what is shown until then. @throws RuntimeError `media.unreadable` */
  async load(untilMs: number): Promise<void> {
    for (; this.#frames[this.#loaded]?.capturedAtMs <= untilMs; this.#loaded++) {
      const { capturedAtMs, path } = this.#frames[this.#loaded];
      this.#decoded.push({ capturedAtMs, image: await readPicture(path) });
    }
  }

  /** What is due until then and was not taken before. */
  take(untilMs: number): CapturedPicture[] {
    const later = this.#decoded.findIndex(({ capturedAtMs }) => capturedAtMs > untilMs);
    return this.#decoded.splice(0, later === -1 ? this.#decoded.length : later);
  }

  close(): void {
    if (this.#folderToRemove) rmSync(this.#folderToRemove, { recursive: true, force: true });
  }
}

/**
 * A folder of PNG/JPEG frames, or a video file where ffmpeg is installed.
 *
 * @param framesPerSecond given, the frames are numbered (`frame-0001.png`); absent, named by their milliseconds
 * (`500.png`)
 * @throws RuntimeError `media.unreadable`, `media.frames`
 */
export async function openVideo(path: string, framesPerSecond?: number): Promise<Video> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new RuntimeError('media.unreadable', 'No such video.', { path }, 'Check the name.');
  if (stats.isDirectory()) {
    const frames = listFrames(path, framesPerSecond);
    await Promise.all(frames.map(frame => checkPicture(frame.path)));
    return new Video(frames);
  }
  if (framesPerSecond === undefined) return extract(path);
  throw badFrames('A video file knows its own rate.', { path }, 'Leave --video-rate out.');
}

function listFrames(directory: string, framesPerSecond: number | undefined): StoredFrame[] {
  const named = readdirSync(directory).flatMap(name => {
    const parts = PICTURE.exec(name);
    return parts ? [{ name, series: parts[1], value: Number(parts[2]) }] : [];
  });
  if (named.length === 0) throw badFrames('The folder holds no frames.', { directory });
  if (named.length > MAX_FRAMES)
    throw badFrames('The folder holds too many frames.', {
      directory,
      frames: named.length,
      most: MAX_FRAMES,
    });
  named.sort((a, b) => a.value - b.value);
  const [first, second] = [...new Set(named.map(({ series }) => series))];
  if (second !== undefined)
    throw badFrames('The folder holds more than one series of frames.', {
      directory,
      series: `${first}…, ${second}…`,
    });
  const times = timesOf(named, first, framesPerSecond, directory);
  return named.map(({ name }, at) => ({ capturedAtMs: times[at], path: join(directory, name) }));
}

function timesOf(
  named: readonly { readonly name: string; readonly value: number }[],
  series: string,
  framesPerSecond: number | undefined,
  directory: string,
): number[] {
  const values = named.map(({ value }) => value);
  if (framesPerSecond !== undefined)
    return values.map(value => ((value - values[0]) * 1000) / framesPerSecond);
  // Nobody takes a picture every millisecond: these are numbers.
  const isCounted = values.length > 2 && values.at(-1)! - values[0] < 10 * values.length;
  if (series === '' && !isCounted) return values;
  const remedy = 'Say how many there are a second, for example --video-rate 25.';
  throw badFrames(
    'The frames seem to be numbered, not named by their milliseconds.',
    { directory, first: named[0].name },
    remedy,
  );
}

async function extract(file: string): Promise<Video> {
  const ffmpeg = findProgram('ffmpeg');
  if (!ffmpeg) {
    const remedy = `Install it (${installHint('ffmpeg')}), or make a folder of frames where it is: ffmpeg -i VIDEO -vf fps=2 frames/%d.png, and give --video frames --video-rate 2.`;
    throw new RuntimeError(
      'media.unreadable',
      'Reading a video file needs ffmpeg, which is not installed.',
      { file },
      remedy,
    );
  }
  const directory = mkdtempSync(join(tmpdir(), 'longcat-rt-frames-'));
  try {
    const input = [
      '-nostdin',
      '-loglevel',
      'error',
      '-protocol_whitelist',
      'file,pipe',
      '-i',
      `file:${file}`,
    ];
    const output = ['-vf', `fps=${EXTRACTED_PER_SECOND}`, '-frames:v', String(MAX_FRAMES)];
    await promisify(execFile)(ffmpeg, [...input, ...output, join(directory, '%d.png')], {
      timeout: EXTRACT_TIMEOUT_MS,
    });
    return new Video(listFrames(directory, EXTRACTED_PER_SECOND), directory);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    const { stderr, message } = error as { stderr?: string; message: string };
    const cause = (stderr || message).trim().split('\n').at(-1);
    const remedy = 'Give a video that ffmpeg can read, or a folder of PNG or JPEG frames.';
    throw new RuntimeError('media.unreadable', 'The video cannot be read.', { file, cause }, remedy);
  }
}

function badFrames(message: string, values: Record<string, unknown>, remedy?: string): RuntimeError {
  const names =
    'Name PNG or JPEG frames by their milliseconds (0.png, 500.png), or number them (frame-0001.png) and give --video-rate.';
  return new RuntimeError('media.frames', message, values, remedy ?? names);
}
