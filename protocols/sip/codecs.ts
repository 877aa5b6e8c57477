/** The codecs of a call as descriptions name them (RFC 3551 §6, RFC 7587 §7). */
import type { LineFormat, MediaFormat, OpusVoice, OpusWishes } from '../media/index.ts';
import type { PayloadFormat } from '../rtp/index.ts';
import { attributesNamed, type Rtpmap, type SdpMedia } from './sdp.ts';

export type SipCodec = 'opus' | 'g722' | 'pcmu' | 'pcma';

interface KnownCodec {
  /** In our offers. */
  readonly type: number;
  /** Of its timestamps: 8000 for G.722 too (RFC 3551 §4.5.2), and 48 000 for Opus at any rate (RFC 7587 §4.1). */
  readonly clockRateHz: number;
  /** As the description must have them, whatever is sent. */
  readonly channels: 1 | 2;
}

export const KNOWN: Readonly<Record<SipCodec, KnownCodec>> = {
  opus: { type: 96, clockRateHz: 48_000, channels: 2 },
  g722: { type: 9, clockRateHz: 8000, channels: 1 },
  pcmu: { type: 0, clockRateHz: 8000, channels: 1 },
  pcma: { type: 8, clockRateHz: 8000, channels: 1 },
};
const FORMATS: Readonly<Record<Exclude<SipCodec, 'opus'>, MediaFormat>> = {
  g722: { codec: 'g722', rateHz: 16_000 },
  pcmu: { codec: 'mu-law', rateHz: 8000 },
  pcma: { codec: 'a-law', rateHz: 8000 },
};
/**
 * What we want of Opus (RFC 7587 §6.1): the model hears 16 kHz of one channel, and takes a lost packet from the next
 * one.
 */
const OPUS_WISHES = 'maxplaybackrate=16000;stereo=0;useinbandfec=1';

export interface OurCodecs {
  /** In order of choice. */
  readonly codecs: readonly SipCodec[];
  /** This call's; null: without it Opus is neither offered nor taken. */
  readonly opus: OpusVoice | null;
}

/** Those that this call has. */
export const usable = ({ codecs, opus }: OurCodecs): SipCodec[] =>
  codecs.filter(codec => codec !== 'opus' || opus !== null);

function formatOf(codec: SipCodec, { opus }: OurCodecs): LineFormat {
  return codec === 'opus' ? opus!.format : FORMATS[codec];
}

export const payloadOf = (codec: SipCodec, ours: OurCodecs): PayloadFormat => ({
  format: formatOf(codec, ours),
  clockRateHz: KNOWN[codec].clockRateHz,
});

/** What is sent before anything is agreed on. */
export const firstFormat = (ours: OurCodecs): LineFormat => formatOf(usable(ours)[0], ours);

export function codecOf(
  { name, clockRateHz, channels }: Rtpmap,
  codecs: readonly SipCodec[],
): SipCodec | null {
  const isIt = (codec: SipCodec) =>
    codec === name && clockRateHz === KNOWN[codec].clockRateHz && channels === KNOWN[codec].channels;
  return codecs.find(isIt) ?? null;
}

export function codecLines(codec: SipCodec, type: number): string[] {
  const { channels, clockRateHz } = KNOWN[codec];
  // The name as its RFC writes it; it does not matter (RFC 4855 §3).
  if (codec === 'opus')
    return [`a=rtpmap:${type} opus/${clockRateHz}/${channels}`, `a=fmtp:${type} ${OPUS_WISHES}`];
  return [`a=rtpmap:${type} ${codec.toUpperCase()}/${clockRateHz}`];
}

/** What the peer wants of our Opus. */
export function wishesOf(media: SdpMedia, type: number): OpusWishes {
  const line = attributesNamed(media, 'fmtp').find(value => value.startsWith(`${type} `)) ?? '';
  const wishes = new Map(
    line
      .slice(line.indexOf(' ') + 1)
      .split(';')
      .map(one => one.trim().toLowerCase().split('=') as [string, string | undefined]),
  );
  const number = (name: string) => {
    const text = wishes.get(name) ?? '';
    return /^\d{1,7}$/.test(text) ? Number(text) : null;
  };
  return {
    maxBitrate: number('maxaveragebitrate'),
    fec: wishes.get('useinbandfec') === '1',
    maxPlaybackHz: number('maxplaybackrate') ?? 48_000,
    constantBitrate: wishes.get('cbr') === '1',
  };
}
