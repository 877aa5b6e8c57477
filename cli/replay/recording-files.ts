/** Recordings on disk: written behind the conversation's back, and never at its cost. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../../actors/core/logger.ts';
import {
  decodeRecording,
  type Recording,
  type RecordingFile,
  type RecordingTarget,
} from '../../actors/recording/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { DiskFile } from '../disk-file.ts';

const SUFFIX = '.recording';
const MEBI = 1 << 20;

export interface RecordingLimits {
  /** A recording takes no more beyond this. */
  readonly fileMb: number;
  /** All recordings of the directory; beyond it no new one begins. */
  readonly totalMb: number;
}

/** One recording, at this path; later ones are not kept. @throws RuntimeError `recording.unwritable` */
export function singleFile(path: string, limits: RecordingLimits, log: Logger): RecordingTarget {
  let first: RecordingFile | null = openRecording(path, limits, log);
  return {
    create: () => {
      const file = first;
      first = null;
      return file;
    },
  };
}

/**
 * A file for each stretch of time in which sessions were open, named after when it began.
 * @throws RuntimeError `recording.unwritable`
 */
export function directory(
  path: string,
  limits: RecordingLimits,
  unixTimeMs: () => number,
  log: Logger,
): RecordingTarget {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw unwritable(path, error);
  }
  return {
    create: () => {
      try {
        const files = readdirSync(path).filter(file => file.endsWith(SUFFIX));
        const usedBytes = files.reduce((sum, file) => sum + statSync(join(path, file)).size, 0);
        if (usedBytes >= limits.totalMb * MEBI) {
          log.warn(
            { path, usedBytes, ...limits },
            'no room for recordings: this conversation is not recorded',
          );
          return null;
        }
        const name = new Date(unixTimeMs()).toISOString().replaceAll(':', '-');
        return openRecording(join(path, name + SUFFIX), limits, log);
      } catch (error) {
        log.error({ path, cause: (error as Error).message }, 'a conversation is not recorded');
        return null;
      }
    },
  };
}

/** @throws RuntimeError `recording.unreadable`, `recording.invalid` */
export function readRecording(path: string): Recording {
  let bytes: Buffer;
  try {
    if (!statSync(path).isFile()) throw new Error('not a regular file'); // A pipe could be waited for without end.
    bytes = readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const values = { path, cause: code ?? message };
    throw new RuntimeError(
      'recording.unreadable',
      'The recording cannot be read.',
      values,
      'Check the path and its permissions.',
    );
  }
  return decodeRecording(bytes);
}

function openRecording(path: string, { fileMb }: RecordingLimits, log: Logger): RecordingFile {
  try {
    return new DiskFile(path, fileMb * MEBI, log);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): RuntimeError {
  const cause = (error as NodeJS.ErrnoException).code;
  const remedy = 'Give a place that can be written; a recording never overwrites a file.';
  return new RuntimeError(
    'recording.unwritable',
    'Recordings cannot be kept there.',
    { path, cause },
    remedy,
  );
}
