/** The door for Asterisk's AudioSocket: a TCP port of its own, without keys, so for named peers only. */
import { createServer, type Server, type Socket } from 'node:net';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Connection } from '../connection.ts';
import type { Door, DoorContext, OpenDoor } from '../door.ts';
import { guardedListener } from '../guard/index.ts';
import { CarrierConnection, type DigitSettings } from '../telephone/index.ts';
import { AudioSocketDialect } from './audio-socket-dialect.ts';
import { FrameSplitter } from './audio-socket-frames.ts';

export interface AudioSocketOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Addresses that may connect beside this machine's own. */
  readonly peers: readonly string[];
  readonly digits: DigitSettings;
  /** Told once it listens. */
  readonly onListening?: (port: number) => void;
}

/** How long a peer may take to end its half of a connection. */
const END_WITHIN_MS = 3000;
const LOOPBACK = /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/;

/** Errors `audiosocket.peers-required` beyond loopback without peers, `server.port-in-use`. */
export function audioSocketDoor(options: AudioSocketOptions): Door {
  return {
    name: 'audiosocket',
    async open(context): Promise<OpenDoor> {
      checkPeers(options);
      const calls = new Map<Socket, CarrierConnection>();
      const server = createServer({ noDelay: true }, socket => answer(socket, options, context, calls));
      await listen(server, options);
      return {
        async close() {
          const closed = new Promise<void>(resolve => server.close(() => resolve()));
          for (const call of calls.values()) call.shutDown();
          await closed;
        },
      };
    },
  };
}

function answer(
  socket: Socket,
  { digits, peers }: AudioSocketOptions,
  context: DoorContext,
  calls: Map<Socket, CarrierConnection>,
): void {
  const { clock, log, metrics, readiness } = context;
  socket.on('error', () => {}); // `close` follows.
  const peer = socket.remoteAddress ?? '';
  if ((!LOOPBACK.test(peer) && !peers.includes(peer.replace(/^::ffff:/, ''))) || readiness.refusal()) {
    metrics.connectionRefused('audiosocket');
    log.warn({ peer }, 'An AudioSocket connection was refused.');
    socket.destroy();
    return;
  }
  metrics.connectionOpened();
  let code = 1006;
  const connection: Connection = {
    send: frame => void socket.write(frame),
    unsentBytes: () => socket.writableLength,
    pauseReading: paused => void (paused ? socket.pause() : socket.resume()),
    close: why => {
      code = why;
      socket.end();
      const cut = clock.setTimer(END_WITHIN_MS, () => socket.destroy());
      socket.once('close', () => cut.cancel());
    },
  };
  const open = () => {
    const call = new CarrierConnection(connection, new AudioSocketDialect(), { context, digits });
    calls.set(socket, call);
    return call;
  };
  const listener = guardedListener(connection, open, error =>
    log.error({ err: error }, 'A connection failed.'),
  );
  const frames = new FrameSplitter();
  socket.on('data', bytes => {
    for (const frame of frames.push(bytes)) listener.onBinary(frame);
  });
  socket.on('end', () => socket.end());
  socket.on('close', () => {
    calls.delete(socket);
    listener.onClose(code, '');
  });
}

function checkPeers({ host, peers }: AudioSocketOptions): void {
  if (peers.length > 0 || host === 'localhost' || LOOPBACK.test(host)) return;
  throw new RuntimeError(
    'audiosocket.peers-required',
    'AudioSocket has no keys: beyond loopback the addresses that may connect must be named.',
    { host },
    'Set `audioSocketPeers`, or listen on 127.0.0.1.',
  );
}

function listen(server: Server, { host, port, onListening }: AudioSocketOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', () => {
      const remedy = 'Choose another port, or 0 for a free one.';
      reject(new RuntimeError('server.port-in-use', 'Cannot listen there.', { host, port }, remedy));
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      if (typeof address === 'object' && address) onListening?.(address.port);
      resolve();
    });
  });
}
