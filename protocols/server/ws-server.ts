/**
 * The socket server on `ws` and node:http, for machines where uWebSockets.js has no binary, and for who wants clients
 * that send too fast paused, not put out.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Timer } from '../../actors/core/clock.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { deliverUtf8, RateGuard } from '../guard/index.ts';
import {
  bodyTooLarge,
  CLOSE_GOING_AWAY,
  CLOSE_TOO_BIG,
  type Connection,
  type HttpAnswer,
  type HttpRequest,
  MAX_HEADER_BYTES,
  type SocketServer,
  type SocketServerOptions,
  STATUS_TEXT,
  type UpgradeDecision,
} from './socket-server.ts';

/** How long a peer may take to answer our close frame before the line is cut. */
const CLOSE_TIMEOUT_MS = 3000;
/** Each is answered, whether the peer reads the answers or not: more of them cut the line. */
const PINGS = { perSecond: 20, burst: 200 };
type Accepted = Extract<UpgradeDecision, { accept: true }>;

/** Error `server.port-in-use` when somebody listens there already. */
export async function startWsServer(options: SocketServerOptions): Promise<SocketServer> {
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    // What cannot be written is the end of this line alone.
    void answerRequest(request, response, options).catch(() => response.destroy());
  const { tls } = options;
  const http = tls
    ? createTlsServer(
        { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile), maxHeaderSize: MAX_HEADER_BYTES },
        onRequest,
      )
    : createServer({ maxHeaderSize: MAX_HEADER_BYTES }, onRequest);
  const { sockets, onUpgrade } = webSockets(options);
  http.on('upgrade', onUpgrade);
  await listen(http, options);
  return {
    kind: 'ws',
    port: (http.address() as AddressInfo).port,
    close: () => closeServer(http, sockets, options),
  };
}

/** Takes the upgrades of an HTTP server. */
export function webSockets(options: SocketServerOptions) {
  let accepted: Accepted | null = null;
  const settings = {
    noServer: true,
    maxPayload: options.maxMessageBytes,
    perMessageDeflate: false,
    autoPong: false,
    closeTimeout: CLOSE_TIMEOUT_MS, // Not in @types/ws yet.
    handleProtocols: () => accepted?.subprotocol ?? false,
  } as const;
  const sockets = new WebSocketServer(settings);
  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    const decision = options.onUpgrade(toHttpRequest(request, Buffer.alloc(0)));
    if (!decision.accept) return refuseUpgrade(stream, decision.answer);
    accepted = decision; // `handleUpgrade` asks for the subprotocol before it returns.
    try {
      sockets.handleUpgrade(request, stream, head, socket => attach(socket, decision, options));
    } catch {
      stream.destroy();
    }
    accepted = null;
  };
  return { sockets, onUpgrade };
}

function listen(http: Server, { host, port }: SocketServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', () =>
      reject(
        new RuntimeError(
          'server.port-in-use',
          'Cannot listen there.',
          { host, port },
          'Choose another port, or 0 for a free one.',
        ),
      ),
    );
    http.listen({ host, port }, resolve);
  });
}

function attach(socket: WebSocket, decision: Accepted, options: SocketServerOptions): void {
  const connection: Connection = {
    send: frame => {
      if (socket.readyState === socket.OPEN) socket.send(frame);
    },
    unsentBytes: () => socket.bufferedAmount,
    pauseReading: paused => (paused ? socket.pause() : socket.resume()),
    close: (code, reason) => socket.close(code, reason),
  };
  const { maxMessageBytes = options.maxMessageBytes } = decision;
  const listener = decision.onOpen(connection);
  const stopPings = keepAlive(socket, options);
  answerPings(socket, options);
  socket.on('message', (data: Buffer, isBinary) => {
    if (socket.readyState !== socket.OPEN) return;
    if (data.length > maxMessageBytes) socket.close(CLOSE_TOO_BIG, 'frame too big');
    else if (isBinary) listener.onBinary(data);
    else deliverUtf8(listener, data);
  });
  socket.on('error', () => {}); // `close` follows with the code; 1009 for a frame over the limit.
  socket.on('close', (code, reason) => {
    stopPings();
    listener.onClose(code, reason.toString('utf8'));
  });
}

function answerPings(socket: WebSocket, { clock }: SocketServerOptions): void {
  const rate = new RateGuard(clock, PINGS.perSecond, PINGS.burst);
  socket.on('ping', (data: Buffer) => {
    if (socket.readyState !== socket.OPEN) return;
    if (rate.take()) socket.pong(data);
    else socket.terminate();
  });
}

function keepAlive(socket: WebSocket, { clock, deadAfterMs }: SocketServerOptions): () => void {
  let answered = true;
  let timer: Timer;
  const beat = () => {
    // Whom we do not read cannot be heard answering.
    if (!answered && !socket.isPaused) return socket.terminate();
    answered = false;
    socket.ping();
    timer = clock.setTimer(deadAfterMs / 2, beat);
  };
  timer = clock.setTimer(deadAfterMs / 2, beat);
  const alive = () => {
    answered = true;
  };
  socket.on('pong', alive).on('message', alive);
  return () => timer.cancel();
}

function toHttpRequest(request: IncomingMessage, body: Buffer): HttpRequest {
  const [path, query = ''] = splitOnce(request.url ?? '/', '?');
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return { method: request.method ?? 'GET', path, query: new URLSearchParams(query), headers, body };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

export async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: SocketServerOptions,
): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= options.maxBodyBytes) chunks.push(chunk);
    }
  } catch {
    return; // The client went away in the middle of its body.
  }
  const tooLarge = size > options.maxBodyBytes;
  const answer = tooLarge
    ? bodyTooLarge(options.maxBodyBytes)
    : await options.onRequest(toHttpRequest(request, Buffer.concat(chunks)));
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) });
  response.end(answer.body);
}

function refuseUpgrade(stream: Duplex, answer: HttpAnswer): void {
  const headers = {
    ...answer.headers,
    connection: 'close',
    'content-length': String(Buffer.byteLength(answer.body)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  stream.end(
    `HTTP/1.1 ${answer.status} ${STATUS_TEXT[answer.status] ?? ''}\r\n${lines.join('')}\r\n${answer.body}`,
  );
}

async function closeServer(
  http: Server,
  sockets: WebSocketServer,
  { clock }: SocketServerOptions,
): Promise<void> {
  for (const socket of sockets.clients) socket.close(CLOSE_GOING_AWAY, 'server closing');
  const cut = clock.setTimer(1000, () => {
    for (const socket of sockets.clients) socket.terminate();
    http.closeAllConnections();
  });
  http.closeIdleConnections();
  await new Promise<void>(resolve => http.close(() => resolve()));
  cut.cancel();
}
