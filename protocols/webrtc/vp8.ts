/**
 * Key frames of VP8 from its packets (RFC 7741 §4), as WebP pictures: a key frame *is* one, behind twenty bytes of
 * another envelope (RFC 6386 §9.1; docs/spec/webrtc.md §3). Frames between them are not decoded.
 */
import type { PictureFile } from '../../kernels/engine/index.ts';
import type { RtpIn } from './peer.ts';

/** Of one picture: 1 MB in packets of 1200 bytes. */
const MAX_PACKETS = 1024;
const MAX_FRAME_BYTES = 1024 * 1024;
/** Frames whose packets may still be on their way. */
const MAX_OPEN_FRAMES = 3;
/** Two bits above these fourteen say how it is to be scaled. */
const MAX_SIDE = 0x3fff;
const START_CODE = [0x9d, 0x01, 0x2a];

export interface KeyFrame {
  readonly picture: PictureFile;
  /** Of its packets, at 90 kHz. */
  readonly timestamp: number;
}

interface Vp8Frame {
  readonly packets: Map<number, Buffer>;
  bytes: number;
  /** Sequence of the first packet, and of the last; null until they came. */
  first: number | null;
  last: number | null;
}

export class KeyFrames {
  /** By timestamp, oldest first. Null: no key frame, or one that is done. */
  readonly #frames = new Map<number, Vp8Frame | null>();

  /** The key frame that this packet completes. */
  push({ sequence, timestamp, marker, payload }: RtpIn): KeyFrame | null {
    const packet = readDescriptor(payload);
    if (!packet) return null;
    const frame = this.#frame(timestamp);
    if (!frame) return null;
    if (packet.beginsFrame) {
      if (!isKeyFrame(packet.data)) return this.#pass(timestamp);
      frame.first = sequence;
    }
    if (marker) frame.last = sequence;
    if (!frame.packets.has(sequence)) frame.bytes += packet.data.length;
    frame.packets.set(sequence, packet.data);
    if (frame.packets.size > MAX_PACKETS || frame.bytes > MAX_FRAME_BYTES) return this.#pass(timestamp);
    const parts = whole(frame);
    if (!parts) return null;
    this.#pass(timestamp);
    return { picture: toPicture(Buffer.concat(parts)), timestamp };
  }

  #frame(timestamp: number): Vp8Frame | null {
    const known = this.#frames.get(timestamp);
    if (known !== undefined) return known;
    const frame: Vp8Frame = { packets: new Map(), bytes: 0, first: null, last: null };
    this.#frames.set(timestamp, frame);
    if (this.#frames.size > MAX_OPEN_FRAMES) this.#frames.delete(this.#frames.keys().next().value!);
    return frame;
  }

  #pass(timestamp: number): null {
    this.#frames.set(timestamp, null);
    return null;
  }
}

/** Its packets in order, if all of them are there. */
function whole({ first, last, packets }: Vp8Frame): Buffer[] | null {
  if (first === null || last === null) return null;
  const count = ((last - first) & 0xffff) + 1;
  if (count !== packets.size) return null;
  const parts: Buffer[] = [];
  for (let i = 0; i < count; i++) {
    const part = packets.get((first + i) & 0xffff);
    if (!part) return null;
    parts.push(part);
  }
  return parts;
}

/** The descriptor in front of a packet's data (RFC 7741 §4.2). */
function readDescriptor(payload: Buffer): { readonly beginsFrame: boolean; readonly data: Buffer } | null {
  if (payload.length < 2) return null;
  let at = 1;
  if (payload[0] & 0x80) {
    const extension = payload[at++];
    if (extension & 0x80) at += at < payload.length && payload[at] & 0x80 ? 2 : 1;
    if (extension & 0x40) at += 1;
    if (extension & 0x30) at += 1;
  }
  if (at >= payload.length) return null;
  return { beginsFrame: (payload[0] & 0x10) !== 0 && (payload[0] & 0x07) === 0, data: payload.subarray(at) };
}

/** The first bit says so, and a start code behind the tag. */
function isKeyFrame(data: Buffer): boolean {
  return data.length > 10 && (data[0] & 1) === 0 && START_CODE.every((byte, i) => data[3 + i] === byte);
}

function toPicture(frame: Buffer): PictureFile {
  const [width, height] = [6, 8].map(at => frame.readUInt16LE(at) & MAX_SIDE);
  return { format: 'webp', width, height, bytes: toWebp(frame) };
}

function toWebp(frame: Buffer): Uint8Array {
  const padding = frame.length & 1;
  const head = Buffer.alloc(20);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(12 + frame.length + padding, 4);
  head.write('WEBPVP8 ', 8, 'latin1');
  head.writeUInt32LE(frame.length, 16);
  return new Uint8Array(Buffer.concat([head, frame, Buffer.alloc(padding)]));
}
