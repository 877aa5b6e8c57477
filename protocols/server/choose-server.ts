import type { Logger } from '../../actors/core/logger.ts';
import {
  MAX_HEADER_BYTES,
  type SocketServer,
  type SocketServerKind,
  type SocketServerOptions,
} from './socket-server.ts';
import { startUwsServer } from './uws-server.ts';
import { startWsServer } from './ws-server.ts';

/** uWebSockets.js where its binary loads, else `ws` with one warning that says why. */
export async function startSocketServer(
  wanted: SocketServerKind | 'auto',
  options: SocketServerOptions,
  log: Logger,
): Promise<SocketServer> {
  if (wanted === 'ws') return startWsServer(options);
  // Its own 4 KB are read once, from the environment, when its binary loads.
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(MAX_HEADER_BYTES);
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
