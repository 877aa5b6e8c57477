/** Offer and answer (RFC 3264) for one stream of sound: what is agreed on, and the description that says so. */
import type { OpusWishes } from '../media/index.ts';
import {
  type Direction,
  type HostPort,
  MASTER_KEY_BYTES,
  type MediaPlan,
  type PayloadFormat,
  SRTP_SUITES,
  type SrtpKey,
  type SrtpSuite,
} from '../rtp/index.ts';
import {
  codecLines,
  codecOf,
  KNOWN,
  type OurCodecs,
  payloadOf,
  type SipCodec,
  usable,
  wishesOf,
} from './codecs.ts';
import {
  attribute,
  attributesNamed,
  parseSdp,
  type Rtpmap,
  rtpmaps,
  type Sdp,
  type SdpAudio,
  type SdpMedia,
  writeSdp,
} from './sdp.ts';

/** Keys, beside codecs whose clock is that of their type. */
const keysType = (clockRateHz: number) => (clockRateHz === 8000 ? 101 : 100);
const PROFILES = new Set(['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF']);

/** What we bring to a call. */
export interface Ours extends OurCodecs {
  /** Keys beside the sound, in offers. */
  readonly offersKeys?: boolean;
  /** Where our sound is wanted; RTCP is at the port after it unless `rtcpPort` says otherwise. */
  readonly rtp: HostPort;
  readonly rtcpPort: number;
  /** Of the session in its `o=` line; the version rises with each description. */
  readonly id: string;
  readonly version: number;
  /** Ours where SRTP is agreed on, made once a call. */
  readonly master: () => Buffer;
}

export interface Agreed {
  readonly plan: MediaPlan;
  /** The peer listens to nothing, or has put us on hold (RFC 3264 §8.4). */
  readonly isHeld: boolean;
  /** Of our Opus; null: it is not what we send. */
  readonly opusWishes: OpusWishes | null;
}

export interface Answered extends Agreed {
  readonly sdp: string;
}

/** Null: no sound that both know. */
export function answerOffer(offer: Sdp, ours: Ours): Answered | null {
  const at = offer.media.findIndex(media => isAudio(media) && choose(media, ours) !== null);
  if (at < 0) return null;
  const media = offer.media[at];
  const chosen = choose(media, ours)!;
  const srtp = answerKeys(media, ours);
  // Encryption that is demanded and cannot be had.
  if (media.protocol.startsWith('RTP/SAVP') && !srtp) return null;
  const theirs = directionOf(media);
  const direction = mirrored(theirs);
  const isHeld = theirs === 'sendonly' || theirs === 'inactive' || isNowhere(media);
  const { keys, noise } = besides(media, chosen.map);
  const isMux = attribute(media, 'rtcp-mux') !== undefined;
  const lines = [
    ...codecLines(chosen.codec, chosen.type),
    ...(keys ? keyLines(keys.payloadType, keys.clockRateHz) : []),
    ...(noise === null ? [] : [`a=rtpmap:${noise} CN/8000`]),
    'a=ptime:20',
    ...(isMux ? ['a=rtcp-mux'] : rtcpLine(ours)),
    ...(srtp ? [cryptoLine(srtp.tag, srtp.send)] : []),
    `a=${direction}`,
  ];
  const types = [chosen.type, ...(keys ? [keys.payloadType] : []), ...(noise === null ? [] : [noise])];
  const audio: SdpAudio = { protocol: media.protocol, port: ours.rtp.port, types, lines };
  const answers = offer.media.map((one, n) => (n === at ? audio : one));
  const plan = planOf(media, new Map([[chosen.type, chosen.payload]]), chosen.type, {
    ...{ keys, comfortNoise: noise, srtp, rtcpMux: isMux },
    direction: isHeld ? 'inactive' : direction,
  });
  return {
    plan,
    isHeld,
    opusWishes: wishesFor(media, chosen),
    sdp: writeSdp(ours.id, ours.version, ours.rtp.host, answers),
  };
}

/** Everything that we have. `isHeld`: we put the peer on hold. */
export function makeOffer(ours: Ours, isHeld = false, isSecure = false): string {
  const codecs = usable(ours);
  const clocks = ours.offersKeys === false ? [] : [...new Set(codecs.map(codec => KNOWN[codec].clockRateHz))];
  const types = [
    ...codecs.map(codec => KNOWN[codec].type),
    ...clocks.map(clockRateHz => keysType(clockRateHz)),
  ];
  const lines = [
    ...codecs.flatMap(codec => codecLines(codec, KNOWN[codec].type)),
    ...clocks.flatMap(clockRateHz => keyLines(keysType(clockRateHz), clockRateHz)),
    'a=ptime:20',
    ...rtcpLine(ours),
    ...(isSecure ? [cryptoLine('1', { suite: SRTP_SUITES[0], master: ours.master() })] : []),
    `a=${isHeld ? 'sendonly' : 'sendrecv'}`,
  ];
  const protocol = isSecure ? 'RTP/SAVP' : 'RTP/AVP';
  const audio = { protocol, port: ours.rtp.port, types, lines };
  return writeSdp(ours.id, ours.version, ours.rtp.host, [audio]);
}

/** What an answer to `makeOffer` agrees on; null: nothing. */
export function readAnswer(answer: Sdp, ours: Ours, isHeld = false, isSecure = false): Agreed | null {
  const media = answer.media.find(isAudio);
  const chosen = media && choose(media, ours);
  if (!media || !chosen) return null;
  const send: SrtpKey = { suite: SRTP_SUITES[0], master: ours.master() };
  const receive = cryptoOf(media)[0];
  if (isSecure && !receive) return null;
  const theirs = directionOf(media);
  const isHeldBack = theirs === 'inactive' || (theirs === 'sendonly' && !isHeld);
  const formats = new Map<number, PayloadFormat>();
  for (const [type, map] of rtpmaps(media)) {
    const codec = codecOf(map, usable(ours));
    if (codec) formats.set(type, payloadOf(codec, ours));
  }
  const { keys, noise } = besides(media, chosen.map);
  const plan = planOf(media, formats, chosen.type, {
    ...{ keys, comfortNoise: noise, rtcpMux: false },
    srtp: isSecure ? { send, receive: receive.key } : null,
    direction: isHeld || isHeldBack || isNowhere(media) ? 'inactive' : mirrored(theirs),
  });
  return { plan, isHeld: isHeldBack, opusWishes: wishesFor(media, chosen) };
}

/** Of a body; null: none that is understood. */
export function sdpOf(body: Buffer): Sdp | null {
  return parseSdp(body.toString('utf8'));
}

function isAudio({ kind, port, protocol }: SdpMedia): boolean {
  return kind === 'audio' && port > 0 && PROFILES.has(protocol.toUpperCase());
}

interface Chosen {
  readonly type: number;
  readonly codec: SipCodec;
  readonly map: Rtpmap;
  readonly payload: PayloadFormat;
}

const wishesFor = (media: SdpMedia, { codec, type }: Chosen) =>
  codec === 'opus' ? wishesOf(media, type) : null;

/** Our first choice among what is offered. */
function choose(media: SdpMedia, ours: Ours): Chosen | null {
  const maps = [...rtpmaps(media)];
  for (const codec of usable(ours)) {
    const found = maps.find(([, map]) => codecOf(map, [codec]) !== null);
    if (!found) continue;
    return { type: found[0], map: found[1], codec, payload: payloadOf(codec, ours) };
  }
  return null;
}

/**
 * Keys and comfort noise with the clock of the sound (docs/spec/sip.md §2: linphone offers keys at three). Some that
 * offer Opus have keys by the clock of G.711 alone; without them in the answer they would be lost.
 */
function besides(media: SdpMedia, { clockRateHz }: Rtpmap) {
  let keys: MediaPlan['keys'] = null;
  let noise: number | null = null;
  for (const [payloadType, map] of rtpmaps(media)) {
    const isSameClock = map.clockRateHz === clockRateHz;
    if (map.name === 'telephone-event') {
      if (!keys || (isSameClock && keys.clockRateHz !== clockRateHz))
        keys = { payloadType, clockRateHz: map.clockRateHz };
    } else if (map.name === 'cn' && isSameClock) noise ??= payloadType;
  }
  return { keys, noise };
}

const keyLines = (type: number, clockRateHz: number) => [
  `a=rtpmap:${type} telephone-event/${clockRateHz}`,
  `a=fmtp:${type} 0-15`,
];

const rtcpLine = ({ rtp, rtcpPort }: Ours) => (rtcpPort === rtp.port + 1 ? [] : [`a=rtcp:${rtcpPort}`]);

function directionOf(media: SdpMedia): Direction {
  for (const [name] of media.attributes)
    if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive') return name;
  return 'sendrecv';
}

function mirrored(theirs: Direction): Direction {
  if (theirs === 'sendonly') return 'recvonly';
  return theirs === 'recvonly' ? 'sendonly' : theirs;
}

/** Hold as it was said before there were directions (RFC 3264 §8.4). */
function isNowhere({ host }: SdpMedia): boolean {
  return host === '0.0.0.0';
}

function planOf(
  media: SdpMedia,
  formats: ReadonlyMap<number, PayloadFormat>,
  payloadType: number,
  rest: Pick<MediaPlan, 'keys' | 'comfortNoise' | 'srtp' | 'direction' | 'rtcpMux'>,
): MediaPlan {
  const host = media.host ?? '0.0.0.0';
  const rtcp = /^(\d{1,5})(?:\s+IN\s+IP[46]\s+(\S+))?/i.exec(attribute(media, 'rtcp') ?? '');
  const port = rtcp && Number(rtcp[1]) <= 65_535 ? Number(rtcp[1]) : Math.min(65_535, media.port + 1);
  return {
    remote: { host, port: media.port },
    remoteRtcp: rest.rtcpMux ? { host, port: media.port } : { host: rtcp?.[2] ?? host, port },
    formats,
    payloadType,
    ...rest,
  };
}

interface Crypto {
  readonly tag: string;
  readonly key: SrtpKey;
}

/** Of the suites that are known, in the order of the description (RFC 4568 §4, §9.1). */
function cryptoOf(media: SdpMedia): Crypto[] {
  return attributesNamed(media, 'crypto').flatMap(value => {
    const match = /^(\d{1,9})\s+(\S+)\s+inline:([A-Za-z0-9+/=]+)(\|\S*)?(.*)$/i.exec(value);
    const suite = match && SRTP_SUITES.find(known => known === match[2].toUpperCase());
    if (!match || !suite) return [];
    const master = Buffer.from(match[3], 'base64');
    // Of the session parameters all would change what is sent; a master key identifier would, too.
    const isPlain = match[5].trim() === '' && !/:/.test(match[4] ?? '');
    return master.length === MASTER_KEY_BYTES && isPlain ? [{ tag: match[1], key: { suite, master } }] : [];
  });
}

function answerKeys(media: SdpMedia, ours: Ours): (NonNullable<MediaPlan['srtp']> & { tag: string }) | null {
  const offered = cryptoOf(media)[0];
  if (!offered) return null;
  const send = { suite: offered.key.suite as SrtpSuite, master: ours.master() };
  return { tag: offered.tag, send, receive: offered.key };
}

const cryptoLine = (tag: string, { suite, master }: SrtpKey) =>
  `a=crypto:${tag} ${suite} inline:${master.toString('base64')}`;
