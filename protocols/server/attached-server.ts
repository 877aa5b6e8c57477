/**
 * Doors in somebody else's HTTP server: they take the requests and upgrades of their own paths, and its own listeners
 * get the rest.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { CLOSE_GOING_AWAY, type SocketServer, type SocketServerOptions } from './socket-server.ts';
import { answerRequest, webSockets } from './ws-server.ts';

/** A peer that does not answer the close frame for this long is cut. */
const CLOSE_AFTER_MS = 1000;

/** @param isOurs whether a path is answered by a door */
export function attachToServer(
  http: Server,
  options: SocketServerOptions,
  isOurs: (path: string) => boolean,
): SocketServer {
  const { sockets, onUpgrade } = webSockets(options);
  const pathOf = ({ url = '/' }: IncomingMessage) => url.split('?', 1)[0];
  // Every listener of `request` is called for every request: theirs would answer ours too.
  const theirs = http.listeners('request') as ((
    request: IncomingMessage,
    response: ServerResponse,
  ) => void)[];
  const request = (request: IncomingMessage, response: ServerResponse) => {
    if (isOurs(pathOf(request)))
      void answerRequest(request, response, options).catch(() => response.destroy());
    else for (const listener of theirs) listener.call(http, request, response);
  };
  const upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    // A refusal of what nobody else wants is ours: without an answer the client would wait.
    if (isOurs(pathOf(request)) || http.listenerCount('upgrade') === 1) onUpgrade(request, stream, head);
  };
  http.removeAllListeners('request').on('request', request).on('upgrade', upgrade);
  return {
    kind: 'ws',
    get port() {
      return (http.address() as AddressInfo | null)?.port ?? 0;
    },
    close: async () => {
      http.off('request', request).off('upgrade', upgrade);
      for (const listener of theirs) http.on('request', listener);
      for (const socket of sockets.clients) socket.close(CLOSE_GOING_AWAY, 'server closing');
      await new Promise<void>(resolve => {
        const cut = options.clock.setTimer(CLOSE_AFTER_MS, () => {
          for (const socket of sockets.clients) socket.terminate();
        });
        sockets.close(() => {
          cut.cancel();
          resolve();
        });
      });
    },
  };
}
