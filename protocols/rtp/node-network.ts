/** The machine's UDP by Node's own sockets: where there is no addon. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import {
  cannotBind,
  type DatagramNetwork,
  type DatagramSocket,
  type OnDatagram,
  plain,
  RECEIVE_BUFFER_BYTES,
} from './network.ts';

export const nodeNetwork: DatagramNetwork = {
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
        reject(cannotBind(local, (error as NodeJS.ErrnoException).code ?? error.message));
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
