import { constants as bufferLimits } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';
import { MAX_HEADER_BYTES, parseHeader, type TensorEntry } from './safetensors-header.ts';

const LENGTH_BYTES = 8;
/** `read` takes at most 2 GiB − 1 at a time. */
const MAX_READ_BYTES = 1 << 30;

/** One open safetensors file; tensors are read when asked for, so a file may be far larger than the memory. */
export class SafetensorsFile {
  readonly path: string;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  #descriptor: number | null;

  /** @throws RuntimeError `weights.open` | `weights.header` | `weights.tensor` | `weights.layout` */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openRegularFile(path);
    try {
      this.entries = new Map(this.#readHeader().map(entry => [entry.name, entry]));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Of the open file, for readers outside of JavaScript. */
  get descriptor(): number {
    return this.#open();
  }

  #readHeader(): TensorEntry[] {
    const fileSize = fstatSync(this.#open()).size;
    if (fileSize < LENGTH_BYTES) throw this.#headerError('The file is too short for a header.', { fileSize });
    const length = this.#read(0, LENGTH_BYTES).readBigUInt64LE();
    if (length < 2n || length > BigInt(MAX_HEADER_BYTES) || length > BigInt(fileSize - LENGTH_BYTES)) {
      throw this.#headerError('The length of the header is impossible.', { headerBytes: length, fileSize });
    }
    const dataStart = LENGTH_BYTES + Number(length);
    const json = this.#read(LENGTH_BYTES, dataStart).toString('utf8');
    return parseHeader(json, this.path, dataStart, fileSize);
  }

  /** The bytes of one tensor, in memory of their own. */
  read(entry: TensorEntry): ArrayBuffer {
    if (entry.end - entry.begin > bufferLimits.MAX_LENGTH) {
      throw new RuntimeError(
        'weights.too-large',
        'A tensor is larger than this process can hold in one piece.',
        {
          file: this.path,
          tensor: entry.name,
          bytes: entry.end - entry.begin,
        },
      );
    }
    return this.#read(entry.begin, entry.end, entry.name).buffer as ArrayBuffer;
  }

  #read(begin: number, end: number, tensor = 'header'): Buffer {
    const bytes = Buffer.from(new ArrayBuffer(end - begin));
    let done = 0;
    while (done < bytes.length) {
      const wanted = Math.min(bytes.length - done, MAX_READ_BYTES);
      const got = readSync(this.#open(), bytes, done, wanted, begin + done);
      if (got === 0) {
        throw new RuntimeError('weights.truncated', 'The file ended while it was read.', {
          file: this.path,
          tensor,
          offset: begin + done,
        });
      }
      done += got;
    }
    return bytes;
  }

  #open(): number {
    if (this.#descriptor === null) {
      throw new RuntimeError('weights.closed', 'The weights were read after they were closed.', {
        file: this.path,
      });
    }
    return this.#descriptor;
  }

  #headerError(what: string, values: Record<string, unknown>): RuntimeError {
    const remedy = 'This is not an intact safetensors file.';
    return new RuntimeError('weights.header', what, { file: this.path, ...values }, remedy);
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}

/** O_NONBLOCK: opening a pipe must not hang before it can be refused. */
function openRegularFile(path: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code;
    throw new RuntimeError('weights.open', 'A weights file cannot be opened.', { file: path, cause });
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new RuntimeError('weights.open', 'A weights file is not a regular file.', { file: path });
}
