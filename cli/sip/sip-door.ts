/** The SIP door as the configuration wants it. */
import { randomBytes } from 'node:crypto';
import { createRandom } from '../../actors/core/index.ts';
import type { Door } from '../../protocols/index.ts';
import { type PortRange, udpNetwork } from '../../protocols/rtp/index.ts';
import { sipDoor } from '../../protocols/sip/index.ts';
import type { DigitSettings } from '../../protocols/telephone/index.ts';
import type { Config } from '../config/schema.ts';
import { listenerOf } from './listener.ts';

export function configuredSipDoor(config: Config, digits: DigitSettings): Door {
  const { sip, sipCallsPerSecond, sipCodecs, sipMaxCalls, sipPassword, sipPeers, sipPublicHost } = config;
  const { rtpPorts, sipRegister, sipUsers, transferTargets, tlsCert = null, tlsKey = null } = config;
  const [first, last] = rtpPorts.split('-').map(Number);
  return sipDoor({
    listeners: sip.map(listenerOf),
    peers: sipPeers,
    users: sipUsers.map(text => {
      const colon = text.indexOf(':');
      return { user: text.slice(0, colon), password: text.slice(colon + 1) };
    }),
    publicHost: sipPublicHost ?? null,
    codecs: sipCodecs,
    rtpPorts: { first, last } satisfies PortRange,
    transferTargets: transferTargets.map(text => {
      const at = text.indexOf('=');
      return { name: text.slice(0, at), address: text.slice(at + 1) };
    }),
    maxCalls: sipMaxCalls,
    callsPerSecond: sipCallsPerSecond,
    register: sipRegister === undefined ? null : { address: sipRegister, password: sipPassword ?? '' },
    ...{ tlsCert, tlsKey, digits, randomBytes, network: udpNetwork },
    random: createRandom(randomBytes(16).toString('hex')),
    onListening: (protocol, { host, port }) =>
      console.log(`SIP over ${protocol} at ${host.includes(':') ? `[${host}]` : host}:${port}`),
  });
}
