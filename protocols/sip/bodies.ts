/** What requests carry: descriptions, alone or among other parts, and keys (INFO). */
import type { SipRequest, SipResponse } from './message.ts';

const MAX_PARTS = 8;

/** The description in a message; null: it has none. */
export function sdpBody({ headers, body }: SipRequest | SipResponse): Buffer | null {
  const type = headers.get('content-type') ?? 'application/sdp';
  if (body.length === 0) return null;
  if (/^application\/sdp\b/i.test(type)) return body;
  const boundary = /^multipart\/.*boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (boundary === undefined) return null;
  for (const part of body.toString('latin1').split(`--${boundary}`, MAX_PARTS)) {
    const text = part.replace(/^\r?\n/, '');
    const [blank] = /\r?\n\r?\n/.exec(text) ?? [];
    if (blank === undefined) continue;
    const end = text.indexOf(blank);
    const isSdp = /^content-type[ \t]*:[ \t]*application\/sdp\b/im.test(text.slice(0, end));
    if (isSdp) return Buffer.from(text.slice(end + blank.length), 'latin1');
  }
  return null;
}

/** A body that is there and is no description is not understood. */
export function hasOtherBody({ headers, body }: SipRequest): boolean {
  const type = headers.get('content-type') ?? 'application/sdp';
  return body.length > 0 && !/^(?:application\/sdp|multipart\/)/i.test(type);
}

/** The key in an INFO; empty: none that a telephone has; undefined: this INFO is about something else. */
export function keyOfInfo({ headers, body }: SipRequest): string | undefined {
  const type = (headers.get('content-type') ?? '').toLowerCase();
  const text = body.toString('latin1', 0, 256);
  if (type.startsWith('application/dtmf-relay'))
    return /^\s*signal\s*=\s*([0-9*#a-d])\s*$/im.exec(text)?.[1].toUpperCase() ?? '';
  if (type.startsWith('application/dtmf')) return /^\s*([0-9*#a-d])\s*$/i.exec(text)?.[1].toUpperCase() ?? '';
  return body.length === 0 ? '' : undefined;
}
