/**
 * A peer asks us to call somebody else in its place (REFER, RFC 3515; with Replaces, RFC 3891, to take over a call of
 * its own).
 */
import { parseNameAddress, parseUri } from './address.ts';
import type { SipRequest } from './message.ts';
import type { FlowTarget } from './transport.ts';

const MAX_REPLACES_CHARS = 512;

export interface Referral {
  /** `sip:…`, without its headers. */
  readonly target: string;
  /** Of the target's headers: the call that ours takes the place of; null: none. */
  readonly replaces: string | null;
  readonly referredBy: string | null;
}

/** What the peer is told of the call it asked for: a status line (RFC 3515 §2.4.4); `isLast`: it is over. */
export type TellProgress = (status: string, isLast: boolean) => void;

/** Who goes where a peer sends. */
export interface ReferralDesk {
  /** Where it leads; null: it is not followed. */
  admit(referral: Referral, peerHost: string): Promise<FlowTarget | null>;
  /** Resolves when it is known what came of it. */
  follow(referral: Referral, hop: FlowTarget, tell: TellProgress): Promise<void>;
}

/** Null: names nobody whom we could call. */
export function referralOf({ headers }: SipRequest): Referral | null {
  const uri = parseNameAddress(headers.get('refer-to') ?? '')?.uri ?? '';
  const [named, fields = ''] = uri.split('?');
  const method = /;method=([a-z]+)/i.exec(named)?.[1] ?? 'INVITE';
  const target = named.replace(/;method=[a-z]+/i, '');
  if (!parseUri(target) || method.toUpperCase() !== 'INVITE') return null;
  const replaces = headerOf(fields, 'replaces');
  if (replaces !== null && (replaces.length > MAX_REPLACES_CHARS || /[\r\n]/.test(replaces))) return null;
  return { target, replaces, referredBy: headers.get('referred-by') ?? null };
}

/** Of those that stand in a URI, escaped (RFC 3261 §19.1.1). */
function headerOf(fields: string, name: string): string | null {
  for (const field of fields.split('&')) {
    const at = field.indexOf('=');
    if (at < 0 || field.slice(0, at).toLowerCase() !== name) continue;
    try {
      return decodeURIComponent(field.slice(at + 1));
    } catch {
      return null;
    }
  }
  return null;
}

/** The subscription that a REFER makes (RFC 3515 §2.4.4): `notify` sends a NOTIFY of it. */
export function progressOf(
  { headers }: SipRequest,
  notify: (fields: [string, string][], body: Buffer) => void,
): TellProgress {
  const event = `refer;id=${(headers.get('cseq') ?? '').split(/\s/)[0]}`;
  return (status, isLast) => {
    const state = isLast ? 'terminated;reason=noresource' : 'active;expires=60';
    const type = 'message/sipfrag;version=2.0';
    notify(
      [
        ['event', event],
        ['subscription-state', state],
        ['content-type', type],
      ],
      Buffer.from(`SIP/2.0 ${status}\r\n`),
    );
  };
}
