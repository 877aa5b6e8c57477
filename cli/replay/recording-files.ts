/** Recordings on disk: written behind the conversation's back, and never at its cost. */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, write } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../../actors/core/logger.ts';
import {
  decodeRecording,
  type Recording,
  type RecordingFile,
  type RecordingTarget,
} from '../../actors/recording/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';

const SUFFIX = '.recording';
/** Waiting for the disk; beyond it the recording stops, the conversation does not. */
const MAX_WAITING_BYTES = 32 << 20;
const MEBI = 1 << 20;

export interface RecordingLimits {
  /** A recording takes no more beyond this. */
  readonly fileMb: number;
  /** All recordings of the directory; beyond it no new one begins. */
  readonly totalMb: number;
}

/** One recording, at this path; later ones are not kept. @throws RuntimeError `recording.unwritable` */
export function singleFile(path: string, limits: RecordingLimits, log: Logger): RecordingTarget {
  let first: RecordingFile | null = new DiskFile(path, limits.fileMb * MEBI, log);
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
        return new DiskFile(join(path, name + SUFFIX), limits.fileMb * MEBI, log);
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

/** Frames are gathered while the disk is busy and leave in one write. A full disk ends the recording at a whole frame. */
class DiskFile implements RecordingFile {
  readonly #path: string;
  readonly #log: Logger;
  readonly #maxBytes: number;
  readonly #file: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #takenBytes = 0;
  #isWriting = false;
  #isClosing = false;
  #hasFailed = false;

  constructor(path: string, maxBytes: number, log: Logger) {
    this.#path = path;
    this.#log = log;
    this.#maxBytes = maxBytes;
    try {
      this.#file = openSync(path, 'wx', 0o600);
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  write(frame: Uint8Array): boolean {
    const isFull = this.#takenBytes + frame.length > this.#maxBytes;
    if (this.#hasFailed || isFull || this.#waitingBytes + frame.length > MAX_WAITING_BYTES) return false;
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    this.#takenBytes += frame.length;
    this.#next();
    return true;
  }

  close(): void {
    this.#isClosing = true;
    this.#next();
  }

  #next(): void {
    if (this.#isWriting) return;
    if (this.#waiting.length > 0 && !this.#hasFailed) this.#writeOut(Buffer.concat(this.#waiting));
    else if (this.#isClosing) {
      closeSync(this.#file);
      this.#isWriting = true; // For good.
    }
  }

  #writeOut(bytes: Buffer): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#isWriting = true;
    write(this.#file, bytes, 0, bytes.length, null, (error, written) => {
      this.#isWriting = false;
      if (!error && written < bytes.length) {
        this.#waiting.unshift(bytes.subarray(written));
        this.#waitingBytes += bytes.length - written;
      } else if (error) {
        this.#hasFailed = true;
        this.#log.error({ path: this.#path, cause: error.code }, 'the recording ends early');
      }
      this.#next();
    });
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
