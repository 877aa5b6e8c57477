/** Under which of this machine's addresses a peer reaches it. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { HostPort } from '../rtp/index.ts';

const MAX_KNOWN = 1000;
const WILDCARDS = new Set(['0.0.0.0', '::']);

export const isWildcard = (host: string): boolean => WILDCARDS.has(host);

/** The one that it is told; else the one that is listened on; else the one from which packets to the peer leave. */
export function hostForPeers(
  listening: string,
  publicHost: string | null,
): (remote: HostPort) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  return remote => {
    if (publicHost !== null) return Promise.resolve(publicHost);
    if (!isWildcard(listening)) return Promise.resolve(listening);
    let host = known.get(remote.host);
    if (!host) {
      if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value!);
      host = towards(remote.host);
      known.set(remote.host, host);
    }
    return host;
  };
}

/** Connecting a datagram socket sends nothing and chooses a route. */
function towards(host: string): Promise<string> {
  return new Promise(resolve => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const done = (address: string) => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => done('127.0.0.1'));
    socket.connect(9, host, () => done(socket.address().address));
  });
}
