/**
 * What becomes of an offer before the transport sees it, and of the transport's answer before the caller does
 * (docs/spec/webrtc.md §4): one Opus, one telephone-event at Opus' rate, VP8; no comfort noise, no redundancy, no
 * transport-wide feedback; only as many sections and candidates as a call needs, and only addresses over UDP. Pure
 * text.
 */
import { RuntimeError } from '../../kernels/errors.ts';

const MAX_SDP_BYTES = 64 * 1024;
const MAX_LINES = 2000;
const MAX_SECTIONS = 8;
const MAX_CANDIDATES = 16;
/** What a caller may put into one message of the data channel, and what it may be sent: what Chromium takes at most. */
export const MAX_CHANNEL_MESSAGE_BYTES = 256 * 1024;

const KEPT_EXTENSIONS = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
] as const;
/** Feedback that costs a message for every packet, and that nobody here reads. */
const DROPPED_FEEDBACK = /^a=rtcp-fb:\S+ (?:transport-cc|goog-remb)/;

interface OfferedCodec {
  readonly payloadType: string;
  /** `opus/48000/2`, lower case. */
  readonly encoding: string;
}

interface Section {
  /** The words of its m= line behind `m=`. */
  readonly media: readonly string[];
  readonly lines: readonly string[];
}

/** Error `webrtc.bad_offer` with what is wrong with it. */
export function narrowOffer(sdp: string): string {
  const { head, sections } = split(sdp);
  if (sections.length === 0) throw badOffer('It has no media.', { sections: 0 });
  if (sections.length > MAX_SECTIONS)
    throw badOffer('It has too many media sections.', { sections: sections.length, most: MAX_SECTIONS });
  return [...head, ...sections.flatMap(narrowSection), ''].join('\r\n');
}

export interface AnswerTerms {
  /** For each section of video, in kbit/s. */
  readonly videoKbps: number;
}

/** Says what we want of the sender: each packet twice where it can, FEC inside Opus, one channel, little video. */
export function termsOf(answer: string, { videoKbps }: AnswerTerms): string {
  const { head, sections } = split(answer);
  const written = sections.flatMap(({ media, lines }) => {
    if (media[0] === 'audio')
      return redundantFirst(media, lines).map(line => voiceFormat(line, codecsOf(lines)));
    if (media[0] !== 'video') return lines;
    return lines.flatMap(line => (line.startsWith('c=') ? [line, `b=AS:${videoKbps}`] : [line]));
  });
  return [...head, ...written, ''].join('\r\n');
}

/** The payload types of a narrowed description. */
export function payloadTypes(sdp: string): { readonly events: ReadonlySet<number> } {
  const codecs = split(sdp).sections.flatMap(({ lines }) => codecsOf(lines));
  const events = codecs.filter(({ encoding }) => encoding.startsWith('telephone-event/'));
  return { events: new Set(events.map(({ payloadType }) => Number(payloadType))) };
}

/** A candidate line's value that we would try: over UDP, an address and no name. */
export function isUsableCandidate(candidate: string): boolean {
  const [, component, protocol, , address = ''] = candidate.split(/\s+/);
  return component === '1' && protocol?.toLowerCase() === 'udp' && /^[\d.]+$|^[\da-f:.]+$/i.test(address);
}

function narrowSection({ media, lines }: Section): string[] {
  const [kind, , protocol = ''] = media;
  if (kind === 'application') return boundedCandidates(lines);
  if (kind !== 'audio' && kind !== 'video')
    throw badOffer('It has a medium that is not served here.', { kind });
  if (!protocol.startsWith('UDP/TLS/RTP/SAVP'))
    throw badOffer('Sound and pictures travel encrypted only.', { protocol }, 'Offer UDP/TLS/RTP/SAVPF.');
  const kept = kind === 'audio' ? voiceCodecs(lines) : [only(lines, 'vp8/90000', 'VP8')];
  const types = new Set(kept.map(({ payloadType }) => payloadType));
  const mLine = `m=${[...media.slice(0, 3), ...types].join(' ')}`;
  return [mLine, ...boundedCandidates(lines.slice(1)).filter(line => isKept(line, types))];
}

/**
 * Redundant Opus (RFC 2198: each packet brings the one before along) where it is offered: the copies within Opus are
 * lower in quality, and a browser begins to make them half a minute after the first losses.
 */
function voiceCodecs(lines: readonly string[]): OfferedCodec[] {
  const opus = only(lines, 'opus/48000/2', 'Opus');
  const codecs = codecsOf(lines);
  const events = codecs.find(({ encoding }) => encoding === 'telephone-event/48000');
  const redundant = codecs.find(
    ({ encoding, payloadType }) =>
      encoding === 'red/48000/2' &&
      lines.includes(`a=fmtp:${payloadType} ${opus.payloadType}/${opus.payloadType}`),
  );
  return [opus, ...(redundant ? [redundant] : []), ...(events ? [events] : [])];
}

/** A sender sends by the first of an answer's formats. */
function redundantFirst(media: readonly string[], lines: readonly string[]): readonly string[] {
  const redundant = codecsOf(lines).find(({ encoding }) => encoding === 'red/48000/2')?.payloadType;
  if (redundant === undefined) return lines;
  const others = media.slice(3).filter(type => type !== redundant);
  return [`m=${[...media.slice(0, 3), redundant, ...others].join(' ')}`, ...lines.slice(1)];
}

function only(lines: readonly string[], encoding: string, name: string): OfferedCodec {
  const found = codecsOf(lines).find(codec => codec.encoding === encoding);
  if (found) return found;
  throw badOffer(
    `It has a section without ${name}.`,
    { wanted: encoding },
    `Offer ${name} among its codecs.`,
  );
}

function codecsOf(lines: readonly string[]): OfferedCodec[] {
  return lines.flatMap(line => {
    const found = /^a=rtpmap:(\d+) (\S+)/.exec(line);
    return found ? [{ payloadType: found[1], encoding: found[2].toLowerCase() }] : [];
  });
}

function isKept(line: string, types: ReadonlySet<string>): boolean {
  const ofType = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+|\*) /.exec(line);
  if (ofType && ofType[1] !== '*' && !types.has(ofType[1])) return false;
  if (DROPPED_FEEDBACK.test(line)) return false;
  if (line.startsWith('a=extmap:')) return KEPT_EXTENSIONS.some(uri => line.split(' ')[1] === uri);
  // Retransmission has its own codec and is not kept.
  return !line.startsWith('a=ssrc-group:FID');
}

function boundedCandidates(lines: readonly string[]): string[] {
  let left = MAX_CANDIDATES;
  return lines.filter(line => {
    if (!line.startsWith('a=candidate:')) return true;
    return isUsableCandidate(line.slice('a=candidate:'.length)) && left-- > 0;
  });
}

function voiceFormat(line: string, codecs: readonly OfferedCodec[]): string {
  const opus = codecs.find(({ encoding }) => encoding.startsWith('opus/'))?.payloadType;
  if (line.startsWith(`a=fmtp:${opus} `)) return `a=fmtp:${opus} minptime=10;useinbandfec=1;stereo=0`;
  return line;
}

function split(sdp: string): { readonly head: string[]; readonly sections: Section[] } {
  if (Buffer.byteLength(sdp) > MAX_SDP_BYTES)
    throw badOffer('It is too long.', { bytes: Buffer.byteLength(sdp), most: MAX_SDP_BYTES });
  const lines = sdp.split(/\r\n|\n|\r/).filter(line => line !== '');
  if (lines[0] !== 'v=0' || lines.length > MAX_LINES || lines.some(line => !/^[a-z]=/.test(line)))
    throw badOffer('It is no session description (RFC 8866).', { lines: lines.length, most: MAX_LINES });
  const starts = lines.flatMap((line, at) => (line.startsWith('m=') ? [at] : []));
  const sections = starts.map((start, i) => ({
    media: lines[start].slice(2).split(' '),
    lines: lines.slice(start, starts[i + 1] ?? lines.length),
  }));
  return { head: lines.slice(0, starts[0] ?? lines.length), sections };
}

function badOffer(message: string, values: Record<string, unknown>, remedy = ''): RuntimeError {
  return new RuntimeError('webrtc.bad_offer', `The offer cannot be taken. ${message}`, values, remedy);
}
