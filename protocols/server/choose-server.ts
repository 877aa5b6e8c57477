import type { Logger } from '../../actors/core/logger.ts';
import type { SocketServer, SocketServerKind, SocketServerOptions } from './socket-server.ts';
import { startUwsServer } from './uws-server.ts';
import { startWsServer } from './ws-server.ts';

/** uWebSockets.js where its binary loads, else `ws` with one warning that says why. */
export async function startSocketServer(
  wanted: SocketServerKind | 'auto',
  options: SocketServerOptions,
  log: Logger,
): Promise<SocketServer> {
  if (wanted === 'ws') return startWsServer(options);
  const loaded = await import('uWebSockets.js').catch((error: unknown) => error as Error);
  if (loaded instanceof Error) {
    if (wanted === 'uws') throw loaded;
    const reason = loaded.message.split('\n')[0];
    log.warn(
      { reason },
      'uWebSockets.js does not load here; serving with ws, fine up to some hundred sessions.',
    );
    return startWsServer(options);
  }
  return startUwsServer(loaded.default, options);
}
