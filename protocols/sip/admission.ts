/** Who may call: named addresses, or whoever knows a password; and how much any of them may ask of us. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { RuntimeError } from '../../kernels/errors.ts';
import { RateGuard, type Timers } from '../guard/index.ts';
import { responseTo, type SipRequest } from './message.ts';
import type { Gatekeeper } from './digest.ts';
import type { SipAdmission } from './user-agent.ts';
import type { Flow } from './transport.ts';

/** Answers to strangers, all together: enough to tell a person what is wrong, too few to be of use to a scanner. */
const REFUSALS = { perSecond: 10, burst: 20 };
const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** Addresses and networks like `192.168.1.0/24`. Errors: `sip.bad_peer`. */
export function peerList(peers: readonly string[]): (host: string) => boolean {
  const list = new BlockList();
  for (const peer of [...LOOPBACK, ...peers]) {
    const [host, bits] = peer.split('/');
    const family = isIPv6(host) ? 'ipv6' : 'ipv4';
    const most = family === 'ipv6' ? 128 : 32;
    const prefix = bits === undefined ? most : Number(bits);
    if (!isIP(host) || !Number.isInteger(prefix) || prefix < 0 || prefix > most) {
      const remedy = 'Give addresses like 192.0.2.7, or networks like 192.0.2.0/24.';
      throw new RuntimeError('sip.bad_peer', 'That is no address of a peer.', { peer }, remedy);
    }
    list.addSubnet(host, prefix, family);
  }
  return host => list.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

export interface AdmissionOptions {
  readonly clock: Timers;
  readonly isPeer: (host: string) => boolean;
  /** Null: nobody has a password; peers alone come in. */
  readonly gatekeeper: Gatekeeper | null;
}

/** Peers come in as they are; others by password, where there are any. */
export function admission({ clock, isPeer, gatekeeper }: AdmissionOptions) {
  const refusals = new RateGuard(clock, REFUSALS.perSecond, REFUSALS.burst);
  return (request: SipRequest, { remote }: Flow): SipAdmission => {
    if (isPeer(remote.host)) return { ok: true };
    const verdict = gatekeeper?.verdict(request.method, request.headers.fields('authorization'));
    if (verdict === 'right') return { ok: true };
    if (!refusals.take()) return { ok: false, answer: null };
    // A challenge for who may have a password, nothing more for who may not.
    const tag = 'refused';
    if (!gatekeeper || verdict === 'wrong') return { ok: false, answer: responseTo(request, 403, tag) };
    const fields = gatekeeper
      .challenges(verdict === 'stale')
      .map(challenge => ['www-authenticate', challenge] as const);
    return { ok: false, answer: responseTo(request, 401, tag, fields) };
  };
}
