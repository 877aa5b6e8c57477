import { hasWebRtc, type IceServer, type PeerOptions } from '../protocols/webrtc/index.ts';
import type { Config } from './config/schema.ts';

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|::1)$/;

/** What the configuration says of WebRTC; null: it is off. */
export async function webRtcOptions(config: Config): Promise<PeerOptions | null> {
  if (config.webrtc === 'off' || (config.webrtc === 'auto' && !hasWebRtc())) return null;
  const { webrtcHosts, webrtcPorts, iceServers, iceRelayOnly, host } = config;
  const [first, last] = (webrtcPorts ?? '').split('-').map(Number);
  return {
    // Whoever listens on loopback opens nothing to the network by a call either.
    hosts: webrtcHosts.length === 0 && LOOPBACK.test(host) ? ['127.0.0.1'] : webrtcHosts,
    ports: webrtcPorts === undefined ? null : [first, last],
    iceServers: iceServers.map(iceServer),
    relayOnly: iceRelayOnly === 'on',
  };
}

/** `turn:USER:PASSWORD@HOST:PORT`, as curl writes it; a password may hold colons, a user may not. */
function iceServer(text: string): IceServer {
  const [, scheme, username, credential, address] = /^(\w+:)(?:([^:@]+):(.*)@)?(.+)$/.exec(text) ?? [];
  const urls = `${scheme}${address}`;
  return username === undefined ? { urls } : { urls, username, credential };
}
