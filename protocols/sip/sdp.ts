/**
 * Session descriptions (RFC 8866), as far as a call's sound needs them: one stream of audio is understood, the others
 * are counted.
 */

export interface Rtpmap {
  readonly name: string;
  readonly clockRateHz: number;
  readonly channels: number;
}

export interface SdpMedia {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  /** As they stand in the line: payload types, for RTP. */
  readonly formats: readonly string[];
  /** Its own address, or the session's; null: none. */
  readonly host: string | null;
  /** `name` or `name:value`, in their order. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
}

export interface Sdp {
  readonly originVersion: string;
  readonly media: readonly SdpMedia[];
}

const MAX_LINES = 1000;
const MAX_LINE_CHARS = 1024;
const MAX_MEDIA = 16;

/** What RFC 3551 gives these numbers where no rtpmap says otherwise. */
const STATIC: Readonly<Record<number, Rtpmap>> = {
  0: { name: 'pcmu', clockRateHz: 8000, channels: 1 },
  8: { name: 'pcma', clockRateHz: 8000, channels: 1 },
  9: { name: 'g722', clockRateHz: 8000, channels: 1 },
  13: { name: 'cn', clockRateHz: 8000, channels: 1 },
};

/** Null for what is none. */
export function parseSdp(text: string): Sdp | null {
  const lines = text.split(/\r?\n/).slice(0, MAX_LINES);
  if (!lines[0]?.startsWith('v=')) return null;
  let originVersion = '0';
  let host: string | null = null;
  const sessionAttributes: [string, string][] = [];
  const media: { -readonly [K in keyof SdpMedia]: SdpMedia[K] }[] = [];
  const attributesOf: [string, string][][] = [];
  for (const line of lines) {
    if (line.length > MAX_LINE_CHARS) continue;
    const value = line.slice(2).trim();
    if (line.startsWith('o=')) originVersion = value.split(/\s+/)[2] ?? '0';
    else if (line.startsWith('c=')) {
      const at = /^IN\s+IP[46]\s+([^\s/]+)/i.exec(value)?.[1] ?? null;
      const last = media.at(-1);
      if (last) last.host = at;
      else host = at;
    } else if (line.startsWith('m=')) {
      const match = /^(\S+)\s+(\d{1,5})(?:\/\d+)?\s+(\S+)\s+(.*)$/.exec(value);
      if (!match || Number(match[2]) > 65_535 || media.length >= MAX_MEDIA) return null;
      const attributes: [string, string][] = [];
      attributesOf.push(attributes);
      const formats = match[4].trim().split(/\s+/);
      media.push({
        kind: match[1].toLowerCase(),
        port: Number(match[2]),
        protocol: match[3],
        formats,
        host,
        attributes,
      });
    } else if (line.startsWith('a=')) {
      const colon = value.indexOf(':');
      const name = (colon < 0 ? value : value.slice(0, colon)).trim().toLowerCase();
      (attributesOf.at(-1) ?? sessionAttributes).push([name, colon < 0 ? '' : value.slice(colon + 1).trim()]);
    }
  }
  // What the session says holds for every stream that does not say it itself.
  return {
    originVersion,
    media: media.map(one => ({ ...one, attributes: [...one.attributes, ...sessionAttributes] })),
  };
}

export function attribute({ attributes }: SdpMedia, name: string): string | undefined {
  return attributes.find(([known]) => known === name)?.[1];
}

export function attributesNamed({ attributes }: SdpMedia, name: string): string[] {
  return attributes.flatMap(([known, value]) => (known === name ? [value] : []));
}

/** By payload type, in the order of the line. */
export function rtpmaps(media: SdpMedia): Map<number, Rtpmap> {
  const named = new Map<number, Rtpmap>();
  for (const value of attributesNamed(media, 'rtpmap')) {
    const match = /^(\d{1,3})\s+([^/\s]+)\/(\d{1,6})(?:\/(\d{1,2}))?/.exec(value);
    if (!match) continue;
    const [, type, name, rate, channels] = match;
    named.set(Number(type), {
      name: name.toLowerCase(),
      clockRateHz: Number(rate),
      channels: Number(channels ?? 1),
    });
  }
  const maps = new Map<number, Rtpmap>();
  for (const format of media.formats) {
    const type = /^\d{1,3}$/.test(format) ? Number(format) : 128;
    const map = named.get(type) ?? STATIC[type];
    if (type < 128 && map) maps.set(type, map);
  }
  return maps;
}

export interface SdpAudio {
  readonly protocol: string;
  readonly port: number;
  readonly types: readonly number[];
  readonly lines: readonly string[];
}

/** `media` in the order of the offer; null: a stream that is refused, of which the first line is kept. */
export function writeSdp(
  id: string,
  version: number,
  host: string,
  media: readonly (SdpAudio | SdpMedia)[],
): string {
  const net = `IN ${host.includes(':') ? 'IP6' : 'IP4'} ${host}`;
  const lines = [`v=0`, `o=- ${id} ${version} ${net}`, 's=-', `c=${net}`, 't=0 0'];
  for (const one of media) {
    if ('types' in one)
      lines.push(`m=audio ${one.port} ${one.protocol} ${one.types.join(' ')}`, ...one.lines);
    else lines.push(`m=${one.kind} 0 ${one.protocol} ${one.formats.join(' ')}`);
  }
  return `${lines.join('\r\n')}\r\n`;
}
