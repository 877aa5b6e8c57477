/** Datagrams, from the machine's network or from memory: what SIP and RTP send and hear goes through here. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { RuntimeError } from '../../kernels/errors.ts';

/** An address of the network, numeric, and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface DatagramSocket {
  /** Where it is bound; port 0 has become a real one. */
  readonly local: HostPort;
  /** Best effort, as the network is. A closed socket ignores it. */
  send(bytes: Uint8Array, to: HostPort): void;
  close(): void;
}

export type OnDatagram = (bytes: Buffer, from: HostPort) => void;

export interface DatagramNetwork {
  /** Errors: `net.bind` where the port is taken or the address is not this machine's. */
  bind(local: HostPort, onDatagram: OnDatagram): Promise<DatagramSocket>;
}

/** Of one socket: half a second of many calls' packets while the event loop is busy. */
const RECEIVE_BUFFER_BYTES = 256 * 1024;

export const sameHostPort = (a: HostPort, b: HostPort): boolean => a.port === b.port && a.host === b.host;

/** The machine's UDP. */
export const udpNetwork: DatagramNetwork = {
  bind: (local, onDatagram) =>
    new Promise((resolve, reject) => {
      const type = isIPv6(local.host) ? 'udp6' : 'udp4';
      const socket = createSocket({
        type,
        // All that is sent to are numeric addresses; the resolver would cost a turn of the loop each time.
        lookup: (host, _options, callback) => callback(null, host, type === 'udp6' ? 6 : 4),
      });
      socket.once('error', error => {
        socket.close();
        reject(cannotBind(local, error));
      });
      socket.bind({ address: local.host, port: local.port, exclusive: true }, () => {
        socket.removeAllListeners('error');
        resolve(bound(socket, onDatagram));
      });
    }),
};

function bound(socket: Socket, onDatagram: OnDatagram): DatagramSocket {
  // What the network refuses (no route, a port that nobody has) is as good as lost.
  socket.on('error', () => {});
  socket.on('message', (bytes, { address, port }) => onDatagram(bytes, { host: plain(address), port }));
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // The system's own size does too.
  }
  let isOpen = true;
  const { address: host, port } = socket.address();
  return {
    local: { host, port },
    send(bytes, to) {
      if (isOpen && to.port > 0) socket.send(bytes, to.port, to.host, () => {});
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      socket.close();
    },
  };
}

/** IPv4 that came in over an IPv6 socket is IPv4. */
export const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

function cannotBind({ host, port }: HostPort, error: Error): RuntimeError {
  const values = { host, port, cause: (error as NodeJS.ErrnoException).code ?? error.message };
  return new RuntimeError('net.bind', 'Cannot listen there.', values, 'Choose another address or port.');
}
