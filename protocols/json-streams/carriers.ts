import type { CodecName } from '../media/index.ts';
import type { LinePace } from '../telephone/index.ts';

/** What differs between the carriers of this family. */
export interface StreamCarrier {
  readonly carrier: 'telnyx' | 'exotel';
  readonly path: string;
  /** Names the stream in what we send; null: nothing does. */
  readonly idField: 'stream_sid' | null;
  readonly pace: LinePace;
  /** By the name the carrier gives them. */
  readonly codecs: Readonly<Record<string, CodecName>>;
  readonly remedy: string;
}

const PACE: LinePace = { frameMs: 20, leadMs: 200, latencyMs: 100 };

export const TELNYX: StreamCarrier = {
  carrier: 'telnyx',
  path: '/telnyx',
  idField: null,
  pace: PACE,
  codecs: { PCMU: 'mu-law', PCMA: 'a-law' },
  remedy: 'Stream with stream_bidirectional_mode rtp and codec PCMU or PCMA.',
};

/** Frames of 20 ms are the least it takes: 320 bytes, of which all sizes are multiples. */
export const EXOTEL: StreamCarrier = {
  carrier: 'exotel',
  path: '/exotel',
  idField: 'stream_sid',
  pace: PACE,
  codecs: { 'audio/x-raw': 'pcm16', base64: 'pcm16', 'raw/slin': 'pcm16' },
  remedy: 'Use a Voicebot applet with raw PCM.',
};
