import type { Logger } from '../../actors/core/logger.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import {
  MAX_HEADER_BYTES,
  type SocketServer,
  type SocketServerKind,
  type SocketServerOptions,
} from './socket-server.ts';
import { startUwsServer } from './uws-server.ts';
import { startWsServer } from './ws-server.ts';

/**
 * `auto`: uWebSockets.js where its binary loads, else `ws` with one warning that says why. `ws` stops reading from a
 * client that sends faster than its events are handled; uWebSockets.js cannot, so such a client is put out. Error
 * `server.uws-missing` where that alone is wanted and does not load.
 */
export async function startSocketServer(
  wanted: SocketServerKind | 'auto',
  options: SocketServerOptions,
  log: Logger,
): Promise<SocketServer> {
  if (wanted === 'ws') return startWsServer(options);
  // Its own 4 KB are read once, from the environment, when its binary loads.
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(MAX_HEADER_BYTES);
  const loaded = await import('uWebSockets.js').catch((error: unknown) => error as Error);
  if (!(loaded instanceof Error)) return startUwsServer(loaded.default, options);
  const reason = loaded.message.split('\n')[0];
  if (wanted === 'uws') {
    throw new RuntimeError(
      'server.uws-missing',
      'uWebSockets.js does not load here.',
      { reason },
      'Leave the setting socketServer out: ws serves everywhere.',
    );
  }
  log.warn(
    { reason },
    'uWebSockets.js does not load here; serving with ws, fine up to some hundred sessions.',
  );
  return startWsServer(options);
}
