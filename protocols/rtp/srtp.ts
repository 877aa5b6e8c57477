/**
 * SRTP and SRTCP with AES_CM_128_HMAC_SHA1 (RFC 3711), keyed by SDES (RFC 4568). One of these protects one direction of
 * one call.
 */
import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { headerBytes } from './packet.ts';

export const SRTP_SUITES = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const;
export type SrtpSuite = (typeof SRTP_SUITES)[number];

/** 16 bytes of key and 14 of salt. */
export const MASTER_KEY_BYTES = 30;
const RTCP_TAG_BYTES = 10;
/** Packets that may come so far behind the newest, each once. */
const WINDOW = 64;
/** Sources of one direction whose count of wraps is kept. */
const MAX_SOURCES = 16;

interface Keys {
  readonly cipher: Buffer;
  readonly auth: Buffer;
  readonly salt: Buffer;
}

interface Source {
  /** Sequence number with its wraps in the upper bits. */
  highest: number;
  /** Bit n: highest − n has come. */
  seen: bigint;
}

export class SrtpStream {
  readonly #rtp: Keys;
  readonly #rtcp: Keys;
  readonly #tagBytes: number;
  readonly #sources = new Map<number, Source>();
  readonly #rtcpSources = new Map<number, Source>();
  #rtcpIndex = 0;

  constructor(suite: SrtpSuite, master: Buffer) {
    this.#rtp = derive(master, 0);
    this.#rtcp = derive(master, 3);
    this.#tagBytes = suite === 'AES_CM_128_HMAC_SHA1_32' ? 4 : 10;
  }

  protect(packet: Buffer): Buffer {
    const ssrc = packet.readUInt32BE(8);
    const index = this.#indexOf(packet.readUInt16BE(2), this.#sources.get(ssrc));
    note(this.#sources, ssrc, index);
    const begin = headerBytes(packet)!;
    const coded = this.#crypt(this.#rtp, packet, begin, ssrc, index);
    return Buffer.concat([coded, tagOf(this.#rtp, coded, Math.floor(index / 65_536), this.#tagBytes)]);
  }

  /** Null: forged, spoilt, or seen before. */
  unprotect(packet: Buffer): Buffer | null {
    const end = packet.length - this.#tagBytes;
    if (end < 12) return null;
    const coded = packet.subarray(0, end);
    const begin = headerBytes(coded);
    if (begin === null) return null;
    const ssrc = packet.readUInt32BE(8);
    const source = this.#sources.get(ssrc);
    const index = this.#indexOf(packet.readUInt16BE(2), source);
    if (index < 0 || isRepeat(source, index)) return null;
    const tag = tagOf(this.#rtp, coded, Math.floor(index / 65_536), this.#tagBytes);
    if (!timingSafeEqual(tag, packet.subarray(end))) return null;
    note(this.#sources, ssrc, index);
    return this.#crypt(this.#rtp, coded, begin, ssrc, index);
  }

  protectRtcp(packet: Buffer): Buffer {
    const ssrc = packet.readUInt32BE(4);
    const index = this.#rtcpIndex;
    this.#rtcpIndex = (index + 1) % 2 ** 31;
    const trailer = Buffer.alloc(4);
    trailer.writeUInt32BE((2 ** 31 + index) >>> 0);
    const coded = Buffer.concat([this.#crypt(this.#rtcp, packet, 8, ssrc, index), trailer]);
    return Buffer.concat([coded, hmac(this.#rtcp, coded).subarray(0, RTCP_TAG_BYTES)]);
  }

  unprotectRtcp(packet: Buffer): Buffer | null {
    const end = packet.length - RTCP_TAG_BYTES;
    if (end < 12) return null;
    const coded = packet.subarray(0, end);
    if (!timingSafeEqual(hmac(this.#rtcp, coded).subarray(0, RTCP_TAG_BYTES), packet.subarray(end)))
      return null;
    const trailer = coded.readUInt32BE(end - 4);
    const index = trailer % 2 ** 31;
    const ssrc = coded.readUInt32BE(4);
    if (isRepeat(this.#rtcpSources.get(ssrc), index)) return null;
    note(this.#rtcpSources, ssrc, index);
    const plain = coded.subarray(0, end - 4);
    return trailer >= 2 ** 31 ? this.#crypt(this.#rtcp, plain, 8, ssrc, index) : plain;
  }

  /** RFC 3711 §3.3.1: the number of wraps that brings it next to the highest. */
  #indexOf(sequence: number, source: Source | undefined): number {
    if (!source) return sequence;
    const wraps = Math.floor(source.highest / 65_536);
    const low = source.highest % 65_536;
    const shift = sequence - low > 32_768 ? -1 : low - sequence > 32_768 ? 1 : 0;
    return (wraps + shift) * 65_536 + sequence;
  }

  #crypt({ cipher, salt }: Keys, packet: Buffer, begin: number, ssrc: number, index: number): Buffer {
    const counter = Buffer.alloc(16);
    salt.copy(counter);
    counter.writeUInt32BE((counter.readUInt32BE(4) ^ ssrc) >>> 0, 4);
    counter.writeUInt32BE((counter.readUInt32BE(8) ^ Math.floor(index / 65_536)) >>> 0, 8);
    counter.writeUInt16BE(counter.readUInt16BE(12) ^ (index % 65_536), 12);
    const body = createCipheriv('aes-128-ctr', cipher, counter).update(packet.subarray(begin));
    return Buffer.concat([packet.subarray(0, begin), body]);
  }
}

function isRepeat(source: Source | undefined, index: number): boolean {
  if (!source || index > source.highest) return false;
  const behind = source.highest - index;
  return behind >= WINDOW || ((source.seen >> BigInt(behind)) & 1n) === 1n;
}

function note(sources: Map<number, Source>, ssrc: number, index: number): void {
  const source = sources.get(ssrc);
  if (!source) {
    if (sources.size >= MAX_SOURCES) sources.delete(sources.keys().next().value!);
    sources.set(ssrc, { highest: index, seen: 1n });
  } else if (index > source.highest) {
    const ahead = index - source.highest;
    source.seen = ahead >= WINDOW ? 1n : ((source.seen << BigInt(ahead)) & (2n ** BigInt(WINDOW) - 1n)) | 1n;
    source.highest = index;
  } else source.seen |= 1n << BigInt(source.highest - index);
}

/** RFC 3711 §4.3: labels 0, 1, 2 are RTP's, 3, 4, 5 RTCP's: cipher, authentication, salt. */
function derive(master: Buffer, label: number): Keys {
  const key = master.subarray(0, 16);
  const bytes = (offset: number, length: number) => {
    const counter = Buffer.alloc(16);
    master.copy(counter, 0, 16, MASTER_KEY_BYTES);
    counter[7] ^= label + offset;
    return createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(length));
  };
  return { cipher: bytes(0, 16), auth: bytes(1, 20), salt: bytes(2, 14) };
}

function hmac({ auth }: Keys, ...parts: Buffer[]): Buffer {
  const mac = createHmac('sha1', auth);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function tagOf(keys: Keys, coded: Buffer, wraps: number, tagBytes: number): Buffer {
  const trailer = Buffer.alloc(4);
  trailer.writeUInt32BE(wraps >>> 0);
  return hmac(keys, coded, trailer).subarray(0, tagBytes);
}
