/** The socket server on uWebSockets.js. */

import type uWS from 'uWebSockets.js';
import { createServer } from 'node:net';
import { RuntimeError } from '../../kernels/errors.ts';
import { deliverUtf8 } from '../guard/index.ts';
import { limitReceiveBuffer } from './receive-buffer.ts';
import {
  bodyTooLarge,
  CLOSE_GOING_AWAY,
  CLOSE_TOO_BIG,
  type Connection,
  type ConnectionListener,
  type HttpAnswer,
  type HttpRequest,
  type SocketServer,
  type SocketServerOptions,
  STATUS_TEXT,
} from './socket-server.ts';

interface SocketData {
  readonly maxMessageBytes: number;
  readonly onOpen: (connection: Connection) => ConnectionListener;
  connection?: UwsConnection;
  listener?: ConnectionListener;
}

/** uWebSockets.js refuses a timeout under 8 s or over 16 min. */
const IDLE_TIMEOUT_SECONDS = { least: 8, most: 960 };

class UwsConnection implements Connection {
  /** Null once closed: uWebSockets.js throws on any use after that. */
  socket: uWS.WebSocket<SocketData> | null;

  constructor(socket: uWS.WebSocket<SocketData>) {
    this.socket = socket;
  }

  send(frame: string | Uint8Array): void {
    // The result needs no look: `maxBackpressure` is out of reach and the owner watches `unsentBytes`.
    this.socket?.send(frame as uWS.RecognizedString, typeof frame !== 'string');
  }

  unsentBytes(): number {
    return this.socket?.getBufferedAmount() ?? 0;
  }

  pauseReading(): void {
    // uWebSockets.js cannot; what its clients send too fast is bounded by the queue of their events.
  }

  close(code: number, reason: string): void {
    this.socket?.end(code, reason);
  }
}

/** Error `server.port-in-use` when somebody listens there already. */
export async function startUwsServer(uws: typeof uWS, options: SocketServerOptions): Promise<SocketServer> {
  await checkPortIsFree(options.host, options.port);
  const { tls } = options;
  const app = tls ? uws.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile }) : uws.App();
  const connections = new Set<UwsConnection>();
  app.ws<SocketData>('/*', webSocketBehavior(uws, options, connections));
  app.any('/*', (response, request) => answerRequest(response, toHttpRequest(request), options));
  const port = await new Promise<number>((resolve, reject) => {
    app.listen(options.host, options.port, socket => {
      if (socket) resolve(uws.us_socket_local_port(socket));
      else reject(portInUse(options.host, options.port));
    });
  });
  limitReceiveBuffer(port);
  return {
    kind: 'uws',
    port,
    async close() {
      for (const connection of [...connections]) connection.close(CLOSE_GOING_AWAY, 'server closing');
      app.close();
    },
  };
}

/** uWebSockets.js listens with SO_REUSEPORT, so a second server would silently share the port. */
async function checkPortIsFree(host: string, port: number): Promise<void> {
  if (port === 0) return;
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => reject(portInUse(host, port)));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}

function portInUse(host: string, port: number): RuntimeError {
  return new RuntimeError(
    'server.port-in-use',
    'Cannot listen there.',
    { host, port },
    'Choose another port, or 0 for a free one.',
  );
}

function webSocketBehavior(
  uws: typeof uWS,
  options: SocketServerOptions,
  connections: Set<UwsConnection>,
): uWS.WebSocketBehavior<SocketData> {
  const seconds = Math.ceil(options.deadAfterMs / 1000);
  return {
    compression: uws.DISABLED,
    // Over its limit uWebSockets.js cuts the line without a close frame; ours is reached first and says 1009.
    maxPayloadLength: options.maxMessageBytes * 2,
    maxBackpressure: 2 ** 31 - 1,
    idleTimeout: Math.min(Math.max(seconds, IDLE_TIMEOUT_SECONDS.least), IDLE_TIMEOUT_SECONDS.most),
    sendPingsAutomatically: true,
    upgrade: (response, request, context) => {
      const decision = options.onUpgrade(toHttpRequest(request));
      if (!decision.accept) return writeAnswer(response, decision.answer, false);
      const key = request.getHeader('sec-websocket-key');
      const { onOpen, maxMessageBytes = options.maxMessageBytes, subprotocol } = decision;
      response.upgrade<SocketData>({ onOpen, maxMessageBytes }, key, subprotocol ?? '', '', context);
    },
    open: socket => {
      const data = socket.getUserData();
      data.connection = new UwsConnection(socket);
      connections.add(data.connection);
      data.listener = data.onOpen(data.connection);
    },
    message: (socket, message, isBinary) => {
      const { connection, listener, maxMessageBytes } = socket.getUserData();
      if (message.byteLength > maxMessageBytes) return connection?.close(CLOSE_TOO_BIG, 'frame too big');
      if (isBinary) return listener?.onBinary(Buffer.from(message.slice(0)));
      // The ArrayBuffer is gone when this callback returns.
      if (listener) deliverUtf8(listener, new Uint8Array(message));
    },
    close: (socket, code, message) => {
      const { connection, listener } = socket.getUserData();
      if (connection) {
        connection.socket = null;
        connections.delete(connection);
      }
      listener?.onClose(code, Buffer.from(message).toString('utf8'));
    },
  };
}

function toHttpRequest(request: uWS.HttpRequest, body: Buffer = Buffer.alloc(0)): HttpRequest {
  const headers = new Map<string, string>();
  request.forEach((name, value) => {
    headers.set(name, value);
  });
  return {
    method: request.getMethod().toUpperCase(),
    path: request.getUrl(),
    query: new URLSearchParams(request.getQuery() ?? ''),
    headers,
    body,
  };
}

function answerRequest(response: uWS.HttpResponse, request: HttpRequest, options: SocketServerOptions): void {
  let aborted = false;
  let answered = false;
  const chunks: Buffer[] = [];
  let size = 0;
  const answer = (value: HttpAnswer) => {
    if (aborted || answered) return;
    answered = true;
    response.cork(() => writeAnswer(response, value, request.method === 'HEAD'));
  };
  response.onAborted(() => {
    aborted = true;
  });
  response.onData((chunk, isLast) => {
    if (answered) return;
    size += chunk.byteLength;
    if (size > options.maxBodyBytes) return answer(bodyTooLarge(options.maxBodyBytes));
    chunks.push(Buffer.from(chunk.slice(0)));
    if (!isLast) return;
    const cut = () => {
      if (!aborted) response.close();
    };
    void options
      .onRequest({ ...request, body: Buffer.concat(chunks) })
      .then(answer)
      .catch(cut);
  });
}

function writeAnswer(response: uWS.HttpResponse, answer: HttpAnswer, headOnly: boolean): void {
  response.writeStatus(`${answer.status} ${STATUS_TEXT[answer.status] ?? ''}`.trim());
  for (const [name, value] of Object.entries(answer.headers)) response.writeHeader(name, value);
  if (answer.status === 304 || answer.status === 204) response.endWithoutBody();
  else if (headOnly)
    response.endWithoutBody(Buffer.byteLength(answer.body), true); // It hangs up after these, so it had better say so.
  else response.end(answer.body);
}
