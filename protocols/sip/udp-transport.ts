import type { DatagramNetwork, DatagramSocket, HostPort } from '../rtp/index.ts';
import { parseMessage } from './message.ts';
import type { Flow, SipTransport, TransportHandler } from './transport.ts';

/** Shorter is no message; blank ones are keep-alives (RFC 5626 §3.5.1). */
const LEAST_BYTES = 20;

/** SIP over UDP: a datagram is a message. */
export async function udpTransport(
  network: DatagramNetwork,
  at: HostPort,
  handler: TransportHandler,
): Promise<SipTransport> {
  const flowOf = (remote: HostPort): Flow => ({
    protocol: 'UDP',
    remote,
    send: bytes => socket.send(bytes, remote),
    at: port => flowOf({ host: remote.host, port }),
  });
  const socket: DatagramSocket = await network.bind(at, (bytes, from) => {
    if (bytes.length < LEAST_BYTES) return;
    const flow = flowOf(from);
    try {
      handler.message(parseMessage(bytes), flow);
    } catch (error) {
      handler.unreadable(flow, error);
    }
  });
  return {
    protocol: 'UDP',
    local: socket.local,
    flowTo: async remote => flowOf(remote),
    close: () => socket.close(),
  };
}
