/** The line of a fake carrier to a server: a WebSocket, or for AudioSocket plain TCP. */
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { RuntimeError } from '../../kernels/errors.ts';
import { FrameSplitter } from '../../protocols/asterisk/audio-socket-frames.ts';
import type { Frame } from './side.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface WireOptions {
  readonly url: string;
  /** Headers by which the carrier signs; absent: unsigned. */
  readonly signature?: Readonly<Record<string, string>>;
  /** A key of the server's; Asterisk has it as the password of its client. */
  readonly key?: string;
  readonly subprotocol?: string;
  readonly onFrame: (frame: Frame) => void;
  readonly onClose: (code: number, reason: string) => void;
}

export interface Wire {
  send(frame: Frame): void;
  close(): void;
}

/** @throws RuntimeError `fake-carrier.unreachable`, `fake-carrier.refused` */
export async function openWire(options: WireOptions): Promise<Wire> {
  const { url, signature, key, subprotocol, onClose, onFrame } = options;
  const headers = {
    ...signature,
    ...(key !== undefined && { authorization: `Basic ${Buffer.from(`carrier:${key}`).toString('base64')}` }),
  };
  const settings = { headers, handshakeTimeout: HANDSHAKE_TIMEOUT_MS, perMessageDeflate: false };
  const socket = new WebSocket(url, subprotocol === undefined ? [] : [subprotocol], settings);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => {
      socket.on('error', () => {});
      socket.terminate();
      const remedy = 'Check the door (serve --phone), the path and the token or key.';
      const values = { url, status: response.statusCode };
      reject(new RuntimeError('fake-carrier.refused', 'The server does not take the call.', values, remedy));
    });
    socket.once('error', error => reject(unreachable(url, error)));
  });
  socket.on('error', () => {}); // `close` follows.
  socket.on('message', (data: Buffer, isBinary) => onFrame(isBinary ? data : data.toString('utf8')));
  socket.on('close', (code, reason) => onClose(code, reason.toString('utf8')));
  return {
    send: frame => {
      if (socket.readyState === socket.OPEN) socket.send(frame);
    },
    close: () => socket.close(1000),
  };
}

/** @throws RuntimeError `fake-carrier.unreachable` */
export async function openTcpWire({ url, onClose, onFrame }: WireOptions): Promise<Wire> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port), noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', error => reject(unreachable(url, error)));
  });
  const frames = new FrameSplitter();
  socket.on('error', () => {}); // `close` follows.
  socket.on('data', bytes => {
    for (const frame of frames.push(bytes)) onFrame(frame);
  });
  socket.on('close', () => onClose(1000, ''));
  return { send: frame => void socket.write(frame), close: () => void socket.end() };
}

function unreachable(url: string, error: Error): RuntimeError {
  const values = { url, cause: error.message };
  const remedy = 'Start one: longcat-rt serve --phone twilio,asterisk --audio-socket 127.0.0.1:9092';
  return new RuntimeError('fake-carrier.unreachable', 'There is no server.', values, remedy);
}
