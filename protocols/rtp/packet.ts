/** RTP packets (RFC 3550 §5.1) and how to tell what else comes to their port (RFC 7983). */

export interface RtpHeader {
  readonly payloadType: number;
  readonly marker: boolean;
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits. */
  readonly timestamp: number;
  readonly ssrc: number;
}

export interface RtpPacket extends RtpHeader {
  readonly payload: Buffer;
}

const RTP_HEADER_BYTES = 12;

/** By the first bytes alone. */
export function kindOfDatagram(bytes: Buffer): 'rtp' | 'rtcp' | 'stun' | 'other' {
  if (bytes.length < 8) return 'other';
  if (bytes[0] < 4) return 'stun';
  if (bytes[0] >> 6 !== 2) return 'other';
  // RFC 5761 §4: no RTP payload type stands where RTCP has its packet types.
  return bytes[1] >= 192 && bytes[1] <= 223 ? 'rtcp' : 'rtp';
}

/** Bytes before the payload: header, sources, extension; null: they are not all there. */
export function headerBytes(bytes: Buffer): number | null {
  if (bytes.length < RTP_HEADER_BYTES || bytes[0] >> 6 !== 2) return null;
  let at = RTP_HEADER_BYTES + 4 * (bytes[0] & 15);
  if (bytes[0] & 16) {
    if (at + 4 > bytes.length) return null;
    at += 4 + 4 * bytes.readUInt16BE(at + 2);
  }
  return at > bytes.length ? null : at;
}

/** Null for what is no RTP packet. The payload is a view. */
export function parseRtp(bytes: Buffer): RtpPacket | null {
  const begin = headerBytes(bytes);
  if (begin === null) return null;
  let end = bytes.length;
  if (bytes[0] & 32) {
    end -= bytes[bytes.length - 1];
    if (end < begin || end === bytes.length) return null;
  }
  return {
    payloadType: bytes[1] & 127,
    marker: bytes[1] >= 128,
    sequence: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
    payload: bytes.subarray(begin, end),
  };
}

export function rtpPacket(
  { payloadType, marker, sequence, timestamp, ssrc }: RtpHeader,
  payload: Uint8Array,
): Buffer {
  const bytes = Buffer.allocUnsafe(RTP_HEADER_BYTES + payload.length);
  bytes[0] = 128;
  bytes[1] = (marker ? 128 : 0) | payloadType;
  bytes.writeUInt16BE(sequence, 2);
  bytes.writeUInt32BE(timestamp, 4);
  bytes.writeUInt32BE(ssrc, 8);
  bytes.set(payload, RTP_HEADER_BYTES);
  return bytes;
}
