/**
 * A recording as bytes: frame after frame, each its length, a checksum and MessagePack. The first is the header. Only
 * ever appended to, so that all that a crash can do is to tear the last frame.
 */
import { Packr } from 'msgpackr';
import { RuntimeError } from '../../kernels/errors.ts';
import { murmur3 } from '../core/random.ts';
import {
  type RecordingEntry,
  FORMAT,
  parseEntry,
  parseHeader,
  type RecordingHeader,
  VERSION,
} from './format.ts';

const PREFIX_BYTES = 8;
const CHECKSUM_SEED = 0x10ca7;
export const MAX_FRAME_BYTES = 64 << 20;

/** Each frame stands alone (no shared records); typed arrays keep their type. */
const packr = new Packr({ useRecords: false, structuredClone: true, moreTypes: true });

export function encodeFrame(content: RecordingHeader | RecordingEntry): Uint8Array {
  const payload = packr.pack(content);
  const frame = new Uint8Array(PREFIX_BYTES + payload.byteLength);
  const view = new DataView(frame.buffer);
  view.setUint32(0, payload.byteLength, true);
  view.setUint32(4, murmur3(payload, CHECKSUM_SEED), true);
  frame.set(payload, PREFIX_BYTES);
  return frame;
}

export interface Recording {
  readonly header: RecordingHeader;
  /** Bytes at the end that are not a whole frame; more than 0 = the recording process was cut off. */
  readonly tornBytes: number;
  /** Decoded one by one, so that a long recording needs no more memory than its bytes. */
  entries(): Generator<RecordingEntry>;
}

/** @throws RuntimeError `recording.invalid` naming the place; a torn last frame is no error */
export function decodeRecording(bytes: Uint8Array): Recording {
  const first = frameAt(bytes, 0);
  const header = first && parseHeader(unpack(first.payload, 0));
  if (!header?.success) throw invalid('It does not begin as a recording of this version.', 0);
  let end = first!.end;
  for (let frame = frameAt(bytes, end); frame; frame = frameAt(bytes, end)) end = frame.end;
  const begin = first!.end;
  return {
    header: header.data,
    tornBytes: bytes.length - end,
    *entries() {
      for (let at = begin; at < end; ) {
        const frame = frameAt(bytes, at)!;
        const entry = parseEntry(unpack(frame.payload, at));
        if (!entry.success)
          throw invalid(`An entry is not understood: ${entry.error.issues[0].message}.`, at);
        yield entry.data;
        at = frame.end;
      }
    },
  };
}

/** Null where no whole frame begins. @throws when the frame is damaged and not the last */
function frameAt(bytes: Uint8Array, at: number): { payload: Uint8Array; end: number } | null {
  if (bytes.length - at < PREFIX_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const length = view.getUint32(0, true);
  const begin = at + PREFIX_BYTES;
  const end = begin + length;
  if (length > MAX_FRAME_BYTES) throw invalid('A frame is longer than any can be.', at);
  if (end > bytes.length) return null;
  const payload = bytes.subarray(begin, end);
  if (murmur3(payload, CHECKSUM_SEED) === view.getUint32(4, true)) return { payload, end };
  if (end === bytes.length && at > 0) return null;
  throw invalid('A frame is damaged.', at);
}

function unpack(payload: Uint8Array, at: number): unknown {
  try {
    return packr.unpack(payload);
  } catch {
    throw invalid('A frame cannot be decoded.', at);
  }
}

function invalid(text: string, atByte: number): RuntimeError {
  const remedy = `Give a file made by serve --record or talk --record (${FORMAT}, version ${VERSION}).`;
  return new RuntimeError('recording.invalid', text, { atByte }, remedy);
}
