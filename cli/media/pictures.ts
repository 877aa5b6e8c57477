import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import type { RgbImage } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';

const MAX_PIXELS = 64_000_000;
const MAX_FRAMES = 10_000;
const EXTRACT_TIMEOUT_MS = 120_000;
/** The dense rate of the live stream (docs/spec/model.md §5.4). */
const VIDEO_FRAMES_PER_SECOND = 2;

export interface VideoFrame {
  readonly capturedAtMs: number;
  readonly image: RgbImage;
}

/**
 * Alpha is dropped and hidden colours show, as the official file loader does (docs/spec/model.md §2.2).
 * @throws RuntimeError `media.unreadable`
 */
export async function readPicture(path: string): Promise<RgbImage> {
  try {
    const picture = sharp(path, { limitInputPixels: MAX_PIXELS });
    const { format } = await picture.metadata();
    if (format !== 'png' && format !== 'jpeg') throw new Error(`a picture of the format ${format}`);
    const decoded = picture.removeAlpha().toColourspace('srgb').raw();
    const { data, info } = await decoded.toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } catch (error) {
    throw new RuntimeError(
      'media.unreadable',
      'Not a readable picture.',
      { path, cause: (error as Error).message },
      'Give PNG or JPEG.',
    );
  }
}

/** A directory of PNG/JPEG files named by their milliseconds, or a video file where ffmpeg is installed; in order of time. */
export async function readVideo(path: string): Promise<VideoFrame[]> {
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  if (isDirectory === undefined) throw new RuntimeError('media.unreadable', 'No such video.', { path });
  return isDirectory ? readFrames(path) : extractFrames(path);
}

async function readFrames(directory: string): Promise<VideoFrame[]> {
  const names = readdirSync(directory).filter(name => /^\d+(\.\d+)?\.(png|jpe?g)$/i.test(name));
  if (names.length === 0 || names.length > MAX_FRAMES) {
    const remedy = `Name 1 to ${MAX_FRAMES} frames by their milliseconds, for example 0.png, 500.png.`;
    throw new RuntimeError(
      'media.frames',
      'No usable frames in the directory.',
      { directory, frames: names.length },
      remedy,
    );
  }
  const frames = names.map(async name => ({
    capturedAtMs: Number(basename(name, extname(name))),
    image: await readPicture(join(directory, name)),
  }));
  return (await Promise.all(frames)).sort((a, b) => a.capturedAtMs - b.capturedAtMs);
}

async function extractFrames(file: string): Promise<VideoFrame[]> {
  const directory = mkdtempSync(join(tmpdir(), 'longcat-rt-frames-'));
  try {
    const rate = `fps=${VIDEO_FRAMES_PER_SECOND}`;
    const options = [
      '-loglevel',
      'error',
      '-i',
      file,
      '-vf',
      rate,
      '-frames:v',
      String(MAX_FRAMES),
      '-start_number',
      '0',
    ];
    await promisify(execFile)('ffmpeg', [...options, join(directory, '%d.png')], {
      timeout: EXTRACT_TIMEOUT_MS,
    });
    const frames = await readFrames(directory);
    return frames.map(frame => ({
      ...frame,
      capturedAtMs: (frame.capturedAtMs * 1000) / VIDEO_FRAMES_PER_SECOND,
    }));
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const remedy = 'Install ffmpeg, or give a directory of PNG or JPEG frames named by their milliseconds.';
    throw new RuntimeError(
      'media.unreadable',
      'The video cannot be read.',
      { file, cause: (error as Error).message },
      remedy,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
