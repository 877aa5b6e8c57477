/** Where a request goes (RFC 3261 §8.1.2, §12.2.1.1; RFC 3263, as far as a gateway needs it). */
import { lookup, resolveSrv } from 'node:dns/promises';
import { isIP } from 'node:net';
import { RuntimeError } from '../../kernels/errors.ts';
import type { HostPort } from '../rtp/index.ts';
import { parseNameAddress, parseUri, type SipUri } from './address.ts';
import type { FlowTarget, SipProtocol } from './transport.ts';

const DEFAULT_PORT = 5060;
const DEFAULT_TLS_PORT = 5061;

export type Resolve = (uri: SipUri) => Promise<FlowTarget>;

export function protocolOf({ scheme, params }: SipUri): SipProtocol {
  if (scheme === 'sips') return 'TLS';
  const named = params.get('transport')?.toUpperCase();
  return named === 'TCP' || named === 'TLS' ? named : 'UDP';
}

/** By the machine's resolver. Errors: `sip.unknown_host`. */
export const resolveUri: Resolve = async uri => {
  const protocol = protocolOf(uri);
  const port = uri.port ?? (protocol === 'TLS' ? DEFAULT_TLS_PORT : DEFAULT_PORT);
  if (isIP(uri.host)) return { protocol, host: uri.host, port };
  try {
    if (uri.port === null) {
      const service = protocol === 'TLS' ? '_sips._tcp' : `_sip._${protocol.toLowerCase()}`;
      const records = await resolveSrv(`${service}.${uri.host}`).catch(() => []);
      const [best] = records.sort((a, b) => a.priority - b.priority || b.weight - a.weight);
      if (best) return { protocol, host: (await lookup(best.name)).address, port: best.port };
    }
    return { protocol, host: (await lookup(uri.host)).address, port };
  } catch {
    const remedy = 'Check the name, or give an address.';
    throw new RuntimeError('sip.unknown_host', 'No such host.', { host: uri.host }, remedy);
  }
};

const PRIVATE = /^(?:10\.|127\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|f[cd]|fe80)/i;

/**
 * Within a dialog: the first route, else the peer's Contact. A private address that the peer did not speak from is
 * behind a NAT: then the way back is the way it came.
 */
export function hopWithin(
  routes: readonly string[],
  target: string,
  from: HostPort,
): { readonly uri: SipUri } | { readonly back: true } {
  const route = routes[0] === undefined ? undefined : parseNameAddress(routes[0])?.uri;
  const uri = parseUri(route ?? target);
  if (!uri) return { back: true };
  const isHidden = route === undefined && PRIVATE.test(uri.host) && uri.host !== from.host;
  return isHidden ? { back: true } : { uri };
}
