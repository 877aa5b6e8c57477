/**
 * SIP over TCP and TLS: `Content-Length` cuts the stream (RFC 3261 §18.3). One connection to a peer serves both ways.
 */
import { connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as tlsConnect, type TlsOptions } from 'node:tls';
import type { Timers } from '../guard/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { type HostPort, plain } from '../rtp/index.ts';
import { headEnd, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, parseMessage } from './message.ts';
import type { Flow, SipTransport, TransportHandler } from './transport.ts';

const MAX_CONNECTIONS = 1024;
const CONNECT_WITHIN_MS = 5000;
/** Between messages; telephones say something at least that often. */
const IDLE_MS = 10 * 60_000;
/** What a peer does not read. */
const MAX_UNSENT_BYTES = 1 << 20;

/** Cuts a stream into messages; never holds more than one that is not whole. Errors: `sip.bad_message`. */
export class MessageFramer {
  #rest: Buffer = Buffer.alloc(0);

  /** Whole messages. A keep-alive that wants an answer (RFC 5626 §4.4.1) is `null`. */
  push(bytes: Buffer): (Buffer | null)[] {
    let all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const messages: (Buffer | null)[] = [];
    for (;;) {
      const begin = blanks(all);
      if (begin >= 4) messages.push(null);
      // Half of a keep-alive waits for its other half.
      if (begin === all.length) {
        all = begin >= 4 ? Buffer.alloc(0) : all;
        break;
      }
      all = all.subarray(begin);
      const end = this.#messageEnd(all);
      if (end === null) break;
      messages.push(all.subarray(0, end));
      all = all.subarray(end);
    }
    this.#rest = Buffer.from(all);
    return messages;
  }

  #messageEnd(all: Buffer): number | null {
    const head = headEnd(all.subarray(0, MAX_HEADER_BYTES + 4));
    if (head === null) {
      if (all.length > MAX_HEADER_BYTES) throw tooLong(all.length);
      return null;
    }
    const length = /^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$/im.exec(
      all.toString('latin1', 0, head),
    );
    const end = head + Number(length?.[1] ?? 0);
    if (end > MAX_MESSAGE_BYTES) throw tooLong(end);
    return end <= all.length ? end : null;
  }
}

function blanks(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length && (bytes[at] === 13 || bytes[at] === 10)) at += 1;
  return at;
}

const tooLong = (bytes: number) =>
  new RuntimeError('sip.bad_message', 'The message of a stream is too long.', { bytes });

export interface StreamOptions {
  readonly at: HostPort;
  readonly isTls: boolean;
  /** Of who listens with TLS. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** Of peers that we call by TLS: their certificates are checked, unless this says otherwise. */
  readonly trustAll?: boolean;
  /** False: only calls out. */
  readonly listens?: boolean;
  readonly clock: Timers;
  /** Whether somebody at this address may connect. */
  readonly admits: (host: string) => boolean;
}

export async function streamTransport(
  options: StreamOptions,
  handler: TransportHandler,
): Promise<SipTransport> {
  const { at, isTls, tls, clock, trustAll = false, listens = true } = options;
  const protocol = isTls ? 'TLS' : 'TCP';
  const sockets = new Map<string, Socket>();
  const take = (socket: Socket): Flow => {
    const remote = { host: plain(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    const key = `${remote.host} ${remote.port}`;
    sockets.set(key, socket);
    const flow: Flow = {
      protocol,
      remote,
      send: bytes => {
        if (socket.destroyed) return;
        if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy();
        else socket.write(bytes);
      },
    };
    const framer = new MessageFramer();
    let idle = clock.setTimer(IDLE_MS, () => socket.destroy());
    socket.on('data', bytes => {
      idle.cancel();
      idle = clock.setTimer(IDLE_MS, () => socket.destroy());
      try {
        for (const message of framer.push(bytes)) {
          if (message) handler.message(parseMessage(message), flow);
          else socket.write('\r\n');
        }
      } catch (error) {
        handler.unreadable(flow, error);
        // Where one message ends and the next begins is lost.
        socket.destroy();
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      idle.cancel();
      if (sockets.get(key) === socket) sockets.delete(key);
    });
    return flow;
  };
  const accept = (socket: Socket) => {
    if (sockets.size >= MAX_CONNECTIONS || !options.admits(plain(socket.remoteAddress ?? '')))
      socket.destroy();
    else take(socket);
  };
  const tlsOptions: TlsOptions = { cert: tls?.cert, key: tls?.key };
  const server = tls ? createTlsServer(tlsOptions, accept) : createServer({ noDelay: true }, accept);
  server.on('tlsClientError', () => {});
  if (listens) await listen(server, at);
  const address = listens ? server.address() : null;
  const local = typeof address === 'object' && address ? { host: at.host, port: address.port } : at;
  const flows = new Map<string, Flow>();
  return {
    protocol,
    local,
    async flowTo(target) {
      const key = `${target.host} ${target.port}`;
      const known = sockets.get(key);
      const flow = flows.get(key);
      if (known && !known.destroyed && flow) return flow;
      const made = take(await dial(target, protocol === 'TLS', trustAll, clock));
      flows.set(key, made);
      return made;
    },
    close: () =>
      new Promise<void>(resolve => {
        if (listens) server.close(() => resolve());
        else resolve();
        for (const socket of sockets.values()) socket.destroy();
      }),
  };
}

function listen(server: ReturnType<typeof createServer>, { host, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', error => {
      const values = { host, port, cause: error.message };
      reject(new RuntimeError('net.bind', 'Cannot listen there.', values, 'Choose another address or port.'));
    });
    server.listen({ host, port }, () => resolve());
  });
}

function dial({ host, port }: HostPort, isTls: boolean, trustAll: boolean, clock: Timers): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = isTls
      ? tlsConnect({ host, port, rejectUnauthorized: !trustAll })
      : connect({ host, port, noDelay: true });
    const fail = (cause: string) => {
      late.cancel();
      socket.destroy();
      reject(new RuntimeError('sip.unreachable', 'Nobody answers there.', { host, port, cause }));
    };
    const late = clock.setTimer(CONNECT_WITHIN_MS, () => fail('it takes too long'));
    socket.once('error', error => fail(error.message));
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      late.cancel();
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
