/** RTCP (RFC 3550 §6): what was sent, what of it came, who it was, and goodbye. */

export interface ReportBlock {
  /** Whose packets these are. */
  readonly ssrc: number;
  /** Of the last interval, 0–1. */
  readonly fractionLost: number;
  /** Since the beginning; negative where more came than was sent. */
  readonly lost: number;
  /** With the number of times it wrapped in the upper half. */
  readonly highestSequence: number;
  /** In units of the timestamp. */
  readonly jitter: number;
  /** Middle 32 bits of the time in the last sender report; 0: there was none. */
  readonly lastSenderReport: number;
  /** Since it came, in 1/65536 s. */
  readonly delaySince: number;
}

export interface SenderInfo {
  /** NTP time: seconds since 1900 and their 2^32 parts. */
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly bytes: number;
}

export type RtcpPacket =
  | {
      readonly type: 'sender';
      readonly ssrc: number;
      readonly info: SenderInfo;
      readonly blocks: ReportBlock[];
    }
  | { readonly type: 'receiver'; readonly ssrc: number; readonly blocks: ReportBlock[] }
  | { readonly type: 'bye'; readonly ssrcs: readonly number[] }
  | { readonly type: 'other'; readonly packetType: number };

const SENDER = 200;
const RECEIVER = 201;
const DESCRIPTION = 202;
const BYE = 203;
const CNAME = 1;
const BLOCK_BYTES = 24;
/** A compound of more is none of a call between two. */
const MAX_PACKETS = 16;

/** As far as it can be read; null where nothing can. */
export function parseRtcp(bytes: Buffer): RtcpPacket[] | null {
  const packets: RtcpPacket[] = [];
  for (let at = 0; at + 4 <= bytes.length && packets.length < MAX_PACKETS; ) {
    const end = at + 4 * (bytes.readUInt16BE(at + 2) + 1);
    if (bytes[at] >> 6 !== 2 || end > bytes.length) break;
    const packet = parseOne(bytes.subarray(at, end));
    if (packet) packets.push(packet);
    at = end;
  }
  return packets.length > 0 ? packets : null;
}

function parseOne(bytes: Buffer): RtcpPacket | null {
  const count = bytes[0] & 31;
  const packetType = bytes[1];
  if (packetType === SENDER && bytes.length >= 28) {
    const info = {
      ntpSeconds: bytes.readUInt32BE(8),
      ntpFraction: bytes.readUInt32BE(12),
      timestamp: bytes.readUInt32BE(16),
      packets: bytes.readUInt32BE(20),
      bytes: bytes.readUInt32BE(24),
    };
    return {
      type: 'sender',
      ssrc: bytes.readUInt32BE(4),
      info,
      blocks: parseBlocks(bytes.subarray(28), count),
    };
  }
  if (packetType === RECEIVER && bytes.length >= 8)
    return { type: 'receiver', ssrc: bytes.readUInt32BE(4), blocks: parseBlocks(bytes.subarray(8), count) };
  if (packetType === BYE) {
    const most = Math.min(count, (bytes.length - 4) >> 2);
    return { type: 'bye', ssrcs: Array.from({ length: most }, (_, n) => bytes.readUInt32BE(4 + 4 * n)) };
  }
  return { type: 'other', packetType };
}

function parseBlocks(bytes: Buffer, count: number): ReportBlock[] {
  const most = Math.min(count, Math.floor(bytes.length / BLOCK_BYTES));
  return Array.from({ length: most }, (_, n) => {
    const at = n * BLOCK_BYTES;
    return {
      ssrc: bytes.readUInt32BE(at),
      fractionLost: bytes[at + 4] / 256,
      lost: bytes.readIntBE(at + 5, 3),
      highestSequence: bytes.readUInt32BE(at + 8),
      jitter: bytes.readUInt32BE(at + 12),
      lastSenderReport: bytes.readUInt32BE(at + 16),
      delaySince: bytes.readUInt32BE(at + 20),
    };
  });
}

/** A report and a name, as every compound has. `info` null: nothing was sent. */
export function report(
  ssrc: number,
  cname: string,
  info: SenderInfo | null,
  blocks: readonly ReportBlock[],
): Buffer {
  const head = Buffer.alloc(info ? 28 : 8);
  const length = head.length + blocks.length * BLOCK_BYTES;
  begin(head, blocks.length, info ? SENDER : RECEIVER, length);
  head.writeUInt32BE(ssrc, 4);
  if (info) {
    head.writeUInt32BE(info.ntpSeconds, 8);
    head.writeUInt32BE(info.ntpFraction, 12);
    head.writeUInt32BE(info.timestamp >>> 0, 16);
    head.writeUInt32BE(info.packets >>> 0, 20);
    head.writeUInt32BE(info.bytes >>> 0, 24);
  }
  return Buffer.concat([head, ...blocks.map(blockBytes), description(ssrc, cname)]);
}

/** RFC 3550 §6.6: goodbye stands behind a report too. */
export function goodbye(ssrc: number, cname: string): Buffer {
  const bytes = Buffer.alloc(8);
  begin(bytes, 1, BYE, bytes.length);
  bytes.writeUInt32BE(ssrc, 4);
  return Buffer.concat([report(ssrc, cname, null, []), bytes]);
}

function blockBytes(block: ReportBlock): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  bytes.writeUInt32BE(block.ssrc, 0);
  bytes[4] = Math.min(255, Math.floor(block.fractionLost * 256));
  bytes.writeIntBE(Math.max(-(2 ** 23), Math.min(2 ** 23 - 1, block.lost)), 5, 3);
  bytes.writeUInt32BE(block.highestSequence >>> 0, 8);
  bytes.writeUInt32BE(Math.min(0xffffffff, Math.round(block.jitter)), 12);
  bytes.writeUInt32BE(block.lastSenderReport >>> 0, 16);
  bytes.writeUInt32BE(Math.min(0xffffffff, Math.round(block.delaySince)), 20);
  return bytes;
}

function description(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname).subarray(0, 255);
  // At least one null ends the chunk, and it ends at a word.
  const length = Math.ceil((4 + 4 + 2 + name.length + 1) / 4) * 4;
  const bytes = Buffer.alloc(length);
  begin(bytes, 1, DESCRIPTION, length);
  bytes.writeUInt32BE(ssrc, 4);
  bytes[8] = CNAME;
  bytes[9] = name.length;
  bytes.set(name, 10);
  return bytes;
}

function begin(bytes: Buffer, count: number, packetType: number, length: number): void {
  bytes[0] = 128 | count;
  bytes[1] = packetType;
  bytes.writeUInt16BE(length / 4 - 1, 2);
}
